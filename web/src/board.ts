// Which cards lie on the table. A card that ended stays where it is until it is put away, and a new one goes to the end, so
// that nothing ever moves under a thumb. Pure.

import { hasEnded } from './card';
import type { Card } from './protocol';

export interface Change {
  board: Card[];
  /// Cards that were not there before.
  arrived: Card[];
  /// Cards that were open before and are not any more.
  ended: Card[];
}

/// The ids of cards that lie open and that the gateway no longer lists among the open ones.
export function missingFrom(board: Card[], open: Card[]): string[] {
  const listed = new Set(open.map((card) => card.id));
  return board.filter((card) => !hasEnded(card.state) && !listed.has(card.id)).map((card) => card.id);
}

/// The table after the gateway said which requests are `open`, and where `known` says what became of others. With `more` it
/// did not name all that are open.
export function update(board: Card[], open: Card[], known: Card[], more = false): Change {
  const missing = new Set(missingFrom(board, open));
  const latest = new Map([...known, ...open].map((card) => [card.id, card]));
  const kept = board.map((card) => {
    if (hasEnded(card.state)) return card;
    const next = latest.get(card.id) ?? card;
    const isOver = !more && missing.has(card.id) && (next.state === 'pending' || next === card);
    return isOver ? { ...next, state: 'expired' as const } : next;
  });
  const before = new Set(board.map((card) => card.id));
  const arrived = open.filter((card) => !before.has(card.id));
  return {
    board: [...kept, ...arrived],
    arrived,
    ended: kept.filter((card, index) => hasEnded(card.state) && card.state !== board[index]?.state),
  };
}

/// The table with one card as the gateway just gave it.
export function replace(board: Card[], card: Card): Card[] {
  return board.map((old) => (old.id === card.id ? card : old));
}

/// The table without what has ended, or without one card of it.
export function putAway(board: Card[], id?: string): Card[] {
  return board.filter((card) => !hasEnded(card.state) || (id !== undefined && card.id !== id));
}
