import { expect, test } from 'vitest';

import { clean, cleanText } from '../src/text';

test('ordinary names stay as they are', () => {
  for (const name of ['nas', 'tank/home daten', 'Zürich-Büro 2', 'сервер', '数据', 'שרת', 'é'])
    expect(clean(name)).toEqual([{ text: name, odd: false }]);
});

test('markup is only text', () => {
  expect(cleanText('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
});

test.each([
  ['a\nb', 'a‹U+000A›b'],
  ['a\u0000b', 'a‹U+0000›b'],
  ['a\u001b[31mb', 'a‹U+001B›[31mb'],
  ['a\u007fb', 'a‹U+007F›b'],
  ['a\u0085b', 'a‹U+0085›b'],
  ['a\u202eb', 'a‹U+202E›b'],
  ['a\u2066b', 'a‹U+2066›b'],
  ['a\u200bb', 'a‹U+200B›b'],
  ['a\u2028b', 'a‹U+2028›b'],
  ['a\u00a0b', 'a‹U+00A0›b'],
  ['a\u3164b', 'a‹U+3164›b'],
  ['a\u2800b', 'a‹U+2800›b'],
  ['a\u{e0041}b', 'a‹U+E0041›b'],
  ['a\ud800b', 'a‹U+D800›b'],
  ['a\ue000b', 'a‹U+E000›b'],
  [' nas ', '‹space›nas‹space›'],
  ['a  b', 'a ‹space›b'],
])('%j is shown as %j', (value, shown) => {
  expect(cleanText(value)).toBe(shown);
});

test('what stands for something unseen is marked as such', () => {
  expect(clean('na\u202es')).toEqual([
    { text: 'na', odd: false },
    { text: '‹U+202E›', odd: true },
    { text: 's', odd: false },
  ]);
});

test('heaps of accents do not grow over other lines', () => {
  expect(cleanText('a' + '\u0301'.repeat(4))).toBe('a\u0301\u0301‹U+0301›‹U+0301›');
});

test('what is too long is cut, and says by how much', () => {
  expect(cleanText('x'.repeat(100), 10)).toBe('xxxxxxxxxx … 90 more characters');
  expect(cleanText('\u202e'.repeat(1000), 20).length).toBeLessThan(60);
  expect(cleanText('x'.repeat(10), 10)).toBe('xxxxxxxxxx');
});
