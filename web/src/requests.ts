// The open requests, kept in step with the gateway for as long as somebody is signed in.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { announce } from './announce';
import { api, Problem } from './api';
import { missingFrom, putAway, replace, update, type Change } from './board';
import { nameOf, outcomeOf } from './card';
import { inWords } from './hooks';
import { LiveUpdates, type Connection } from './live';
import type { Card, CardList } from './protocol';
import { cleanText } from './text';

export interface Requests {
  /// Whether they are decided by codes in place of a passkey.
  byCode: boolean;
  /// Null until the first answer.
  board: Card[] | null;
  /// Whether more are open than the gateway names at once.
  more: boolean;
  /// Ids of open requests that cannot be shown.
  damaged: string[];
  failure: string | null;
  connection: Connection;
  /// Fetches anew, as when an answer said that a card is out of date.
  refresh: () => Promise<void>;
  reconnect: () => void;
  /// Takes a card as a decision just gave it.
  decided: (card: Card) => void;
  /// Takes ended cards from the table: one, or all.
  putAway: (id?: string) => void;
}

/// What was asked for before anybody knew whether somebody is signed in; null where that came to nothing.
let early: Promise<CardList> | null = null;

/// Asks for the first board beside the session, not after it; done when there is an answer of whatever kind.
export async function askEarly(): Promise<void> {
  early = api.openRequests();
  await early.catch(() => (early = null));
}

function openRequests(): Promise<CardList> {
  const asked = early ?? api.openRequests();
  early = null;
  return asked;
}

export function useRequests(byCode: boolean): Requests {
  const board = useRef<Card[] | null>(null);
  const live = useRef<LiveUpdates | null>(null);
  const [, setVersion] = useState(0);
  const [failure, setFailure] = useState<string | null>(null);
  const [rest, setRest] = useState<{ more: boolean; damaged: string[] }>({ more: false, damaged: [] });
  const [connection, setConnection] = useState<Connection>('connecting');

  function show(cards: Card[]): void {
    board.current = cards;
    setVersion((version) => version + 1);
  }

  async function fetchBoard(): Promise<boolean> {
    try {
      const { requests: open, more, damaged = [] } = await openRequests();
      const known = await latestOf(missingFrom(board.current ?? [], open), byCode || more);
      const first = board.current === null;
      const change = update(board.current ?? [], open, known, more);
      setRest({ more, damaged });
      show(change.board);
      setFailure(null);
      if (!first) tell(change);
      return true;
    } catch (error) {
      setFailure(inWords(error).text);
      return error instanceof Problem;
    }
  }

  const look = useRef(oneAtATime(fetchBoard));
  useLayoutEffect(() => {
    const updates = new LiveUpdates(() => look.current(), setConnection);
    live.current = updates;
    updates.start();
    return () => updates.stop();
  }, []);

  return {
    byCode,
    board: board.current,
    ...rest,
    failure,
    connection,
    refresh: async () => {
      await look.current();
    },
    reconnect: () => live.current?.connect(),
    decided: (card) => show(replace(board.current ?? [], card)),
    putAway: (id) => show(putAway(board.current ?? [], id)),
  };
}

/// What became of these requests, one by one where the history does not tell: by codes there is none, and many others may
/// stand before them in it.
async function latestOf(ids: string[], oneByOne: boolean): Promise<Card[]> {
  if (ids.length === 0) return [];
  if (!oneByOne) return (await api.history()).requests;
  const cards = await Promise.all(ids.map((id) => api.card(id)));
  return cards.filter((card) => card !== null);
}

/// Runs `task` again once it is done, rather than twice at a time; everybody who asked meanwhile gets that second answer.
function oneAtATime(task: () => Promise<boolean>): () => Promise<boolean> {
  let running: Promise<boolean> | null = null;
  let next: Promise<boolean> | null = null;
  const run = (): Promise<boolean> => {
    running = task().finally(() => (running = null));
    return running;
  };
  return () => {
    if (!running) return run();
    next ??= running.then(() => {
      next = null;
      return run();
    });
    return next;
  };
}

function tell(change: Change): void {
  const words = [
    ...change.arrived.map((card) => `New request from ${cleanText(nameOf(card), 60)}.`),
    ...change.ended.map(
      (card) => `${cleanText(nameOf(card), 60)}: ${cleanText(outcomeOf(card).sentence, 200)}`,
    ),
  ];
  if (words.length > 0) announce(words.join(' '));
}
