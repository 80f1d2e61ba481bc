import { expect, test } from 'vitest';

import { codeLinkTo, linkTo, routeOf } from '../src/route';

test.each([
  ['', { view: 'requests' }],
  ['#requests', { view: 'requests' }],
  ['#hosts', { view: 'hosts' }],
  ['#recover', { view: 'recover' }],
  ['#code', { view: 'code', request: null }],
  [codeLinkTo('7F3K'), { view: 'code', request: '7F3K' }],
  ['#nonsense', { view: 'requests' }],
  ['#request=', { view: 'requests' }],
  ['#request=7F3K', { view: 'request', id: '7F3K' }],
  ['#request=%', { view: 'request', id: '%' }],
  ['#register=AbC_-9', { view: 'register', invite: 'AbC_-9' }],
])('%j leads to %j', (hash, route) => {
  expect(routeOf(hash)).toEqual(route);
});

test('a link to a request leads back to it', () => {
  expect(routeOf(linkTo('a/b=c#d'))).toEqual({ view: 'request', id: 'a/b=c#d' });
});
