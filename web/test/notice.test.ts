import { expect, test } from 'vitest';

import { noticeOf } from '../src/notice';
import { routeOf } from '../src/route';

const kMessage = { request: '7F3K', host: 'nas', gateway: 'gw', expires: '2026-11-25T12:13:00Z' };

test('a request is shown by its host and leads to its card', () => {
  const notice = noticeOf(JSON.stringify(kMessage));
  expect(notice.title).toBe('nas asks for its key');
  expect(notice.body).toContain('gw');
  expect(routeOf(notice.link)).toEqual({ view: 'request', id: '7F3K' });
});

test('a newer notice of a host takes the place of the older one, another host’s does not', () => {
  const tag = (changes: object): string => noticeOf(JSON.stringify({ ...kMessage, ...changes })).tag;
  expect(tag({ request: 'other' })).toBe(tag({}));
  expect(tag({ host: 'cellar' })).not.toBe(tag({}));
});

test('a drill is called one', () => {
  expect(noticeOf(JSON.stringify({ ...kMessage, drill: true })).title).toBe('nas asks for a drill');
  expect(noticeOf(JSON.stringify({ ...kMessage, drill: 'yes' })).title).toBe('nas asks for its key');
});

test('what a host’s check found leads to the hosts', () => {
  const words = '2 findings: tank/a: its key was changed';
  const notice = noticeOf(JSON.stringify({ news: 'host-findings', host: 'nas', words, gateway: 'gw' }));
  expect(notice.title).toContain('nas: 2 findings');
  expect(routeOf(notice.link)).toEqual({ view: 'hosts' });
  expect(noticeOf(JSON.stringify({ news: 'host-findings' })).title).toContain('found something');
});

test('a test says that it is one', () => {
  expect(noticeOf(JSON.stringify({ ...kMessage, request: null, host: null })).title).toContain('arrive');
});

test.each([
  ['codes-locked', 'Wrong codes'],
  ['recovery-used', 'recovery codes was used'],
  ['later', 'Something happened'],
])('news of one’s own, %s, is told with the address and leads to one’s passkeys', (news, words) => {
  const notice = noticeOf(JSON.stringify({ news, address: '192.0.2.7', gateway: 'gw' }));
  expect(notice.title).toContain(words);
  expect(notice.body).toContain('From 192.0.2.7, at gw.');
  expect(routeOf(notice.link)).toEqual({ view: 'passkeys' });
});

test.each(['', 'nonsense', '[]', 'null', '7', '{}', '{"request":7}'])(
  'something is shown for %j, too',
  (text) => {
    expect(noticeOf(text)).toMatchObject({ title: 'A machine asks for its key', link: '#requests' });
  },
);

test('a host’s name cannot hide or turn around what is shown, nor lead elsewhere', () => {
  const hostile = { ...kMessage, host: 'nas\u202e\n<b>', request: '//evil.example/#' };
  const notice = noticeOf(JSON.stringify(hostile));
  expect(notice.title).toContain('‹U+202E›');
  expect(notice.title).not.toContain('\u202e');
  expect(notice.link.startsWith('#request=')).toBe(true);
  expect(routeOf(notice.link)).toEqual({ view: 'request', id: '//evil.example/#' });
});
