import { expect, test } from 'vitest';

import { missingFrom, putAway, replace, update } from '../src/board';
import { cardOf } from './world';

const first = cardOf({ id: 'first' });
const second = cardOf({ id: 'second' });
const idsOf = (cards: { id: string }[]) => cards.map((card) => card.id);

test('a new card goes to the end', () => {
  const change = update([second], [first, second], []);
  expect(idsOf(change.board)).toEqual(['second', 'first']);
  expect(idsOf(change.arrived)).toEqual(['first']);
});

test('a card that ended stays where it lay and says what became of it', () => {
  expect(missingFrom([first, second], [second])).toEqual(['first']);
  const change = update(
    [first, second],
    [second],
    [cardOf({ id: 'first', state: 'denied', decided_by: 'Bea' })],
  );
  expect(change.board).toMatchObject([{ id: 'first', state: 'denied', decided_by: 'Bea' }, { id: 'second' }]);
  expect(idsOf(change.ended)).toEqual(['first']);
});

test('a card of which nothing is known any more counts as expired', () => {
  expect(update([first], [], []).board).toMatchObject([{ id: 'first', state: 'expired' }]);
});

test('where the gateway does not name all that are open, one that it leaves out stays open', () => {
  expect(update([first], [second], [first], true).board).toMatchObject([{ state: 'pending' }, second]);
  const ended = cardOf({ id: 'first', state: 'denied' });
  expect(update([first], [second], [ended], true).board).toMatchObject([{ state: 'denied' }, second]);
});

test('a card that is approved or released stays what it is until the host has its share', () => {
  for (const state of ['approved', 'released'] as const)
    expect(update([first], [], [cardOf({ id: 'first', state })]).board).toMatchObject([{ state }]);
});

test('an ended card is told once', () => {
  const ended = cardOf({ id: 'first', state: 'denied' });
  expect(update([ended], [], [ended])).toEqual({ board: [ended], arrived: [], ended: [] });
});

test('putting away leaves what is open', () => {
  const board = [cardOf({ id: 'first', state: 'denied' }), second, cardOf({ id: 'third', state: 'expired' })];
  expect(idsOf(putAway(board, 'first'))).toEqual(['second', 'third']);
  expect(idsOf(putAway(board))).toEqual(['second']);
});

test('a decision replaces its own card only', () => {
  const decided = cardOf({ id: 'second', state: 'approved' });
  expect(replace([first, second], decided)).toEqual([first, decided]);
});
