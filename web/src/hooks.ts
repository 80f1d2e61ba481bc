// What views share: the address, fetched lists, signing out, and errors in words.

import { useCallback, useEffect, useState } from 'preact/hooks';

import { api, Problem, Unreachable } from './api';
import { PasskeyFailure } from './passkey';
import { PushFailure } from './push';
import { routeOf, type Route } from './route';

export interface Loaded<Value> {
  value: Value | null;
  failure: string | null;
  reload: () => Promise<void>;
}

/// Fetches when the view opens, and again when asked; what was there before stays while it does.
export function useLoaded<Value>(fetch: () => Promise<Value>): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const reload = useCallback(async () => {
    try {
      setValue(await fetch());
      setFailure(null);
    } catch (error) {
      setFailure(inWords(error).text);
    }
  }, []);
  useEffect(() => void reload(), []);
  return { value, failure, reload };
}

/// Signs out and calls `leave`; `failure` says in words why that came to nothing.
export function useSignOut(leave: () => void): { signOut: () => void; failure: string | null } {
  const [failure, setFailure] = useState<string | null>(null);
  const signOut = (): void => {
    api.signOut().then(leave, (error: unknown) => setFailure(inWords(error).text));
  };
  return { signOut, failure };
}

/// The view the address names, as it changes.
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return routeOf(hash);
}

/// Why something did not work, for a person. `calm`: they stopped it themselves.
export function inWords(error: unknown): { text: string; calm: boolean } {
  if (error instanceof PasskeyFailure || error instanceof PushFailure)
    return { text: error.message, calm: error.calm };
  if (error instanceof Problem || error instanceof Unreachable) return { text: error.message, calm: false };
  console.error(error);
  return { text: 'Something went wrong on this page. Reload it and try again.', calm: false };
}
