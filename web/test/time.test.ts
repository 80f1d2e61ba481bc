import { expect, test } from 'vitest';

import { ago, countdown, dateTime, duration, parseTime } from '../src/time';

const now = new Date(2026, 10, 25, 14, 30, 0).getTime();
const minute = 60_000;

test.each([
  [0, 'just now'],
  [-20_000, 'just now'],
  [44_000, 'just now'],
  [50_000, '1 min ago'],
  [10 * minute, '10 min ago'],
  [90 * minute, '1 h ago'],
  [13 * 60 * minute, 'today, 01:30'],
  [24 * 60 * minute, 'yesterday, 14:30'],
  [-60 * minute, 'today, 15:30'],
])('%d ms ago reads %j', (age, words) => {
  expect(ago(now - age, now)).toBe(words);
});

test('a date names its year only when it is another', () => {
  expect(dateTime(new Date(2026, 2, 3, 4, 5).getTime(), now)).toBe('3 Mar, 04:05');
  expect(dateTime(new Date(2025, 2, 3, 4, 5).getTime(), now)).toBe('3 Mar 2025, 04:05');
  expect(dateTime(now + 24 * 60 * minute, now)).toBe('tomorrow, 14:30');
});

test.each([
  [-5, '0:00'],
  [1, '0:01'],
  [65_000, '1:05'],
  [15 * minute, '15:00'],
  [62 * minute, '1:02:00'],
])('%d ms left count down as %s', (left, words) => {
  expect(countdown(left)).toBe(words);
});

test.each([
  [0, '0 s'],
  [40_000, '40 s'],
  [70_000, '1 min 10 s'],
  [60 * minute, '1 h'],
  [25 * 60 * minute, '1 day 1 h'],
  [76 * 60 * minute, '3 days 4 h'],
])('%d ms last %s', (length, words) => {
  expect(duration(length)).toBe(words);
});

test('what is no time is null', () => {
  expect(parseTime('2026-11-24T06:12:00Z')).toBe(Date.UTC(2026, 10, 24, 6, 12));
  expect(parseTime('soon')).toBeNull();
  expect(parseTime(null)).toBeNull();
  expect(parseTime(undefined)).toBeNull();
});
