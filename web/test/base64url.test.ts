import { expect, test } from 'vitest';

import { decode, encode } from '../src/base64url';

test('bytes come back as they were, at every length', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256);
    expect(decode(encode(bytes))).toEqual(bytes);
  }
});

test('the alphabet is the url-safe one, without padding', () => {
  expect(encode(Uint8Array.of(0xfb, 0xff, 0xfe, 0xff))).toBe('-__-_w');
});

test.each(['+/8', 'AA==', 'A', 'AA A', 'Aé'])('%j is refused', (text) => {
  expect(() => decode(text)).toThrow(SyntaxError);
});
