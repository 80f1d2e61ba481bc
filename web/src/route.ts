// Which view the address names: what follows `#` is never sent to a server.

export type Route =
  | { view: 'requests' | 'history' | 'hosts' | 'passkeys' | 'people' | 'recover' | 'recovered' }
  | { view: 'code'; request: string | null }
  | { view: 'request'; id: string }
  | { view: 'register'; invite: string };

const kViews = ['history', 'hosts', 'passkeys', 'people', 'recover', 'recovered'] as const;

/// The view for `hash`; the open requests for one that names none.
export function routeOf(hash: string): Route {
  const [name = '', value = ''] = hash.replace(/^#/, '').split('=', 2);
  if (name === 'request' && value) return { view: 'request', id: readable(value) };
  if (name === 'register' && value) return { view: 'register', invite: readable(value) };
  if (name === 'code') return { view: 'code', request: value ? readable(value) : null };
  const view = kViews.find((known) => known === name);
  return { view: view ?? 'requests' };
}

/// The address of one request's own view.
export function linkTo(id: string): string {
  return `#request=${encodeURIComponent(id)}`;
}

/// The address for signing in with a code, from which one goes on to that request.
export function codeLinkTo(request: string | null): string {
  return request === null ? '#code' : `#code=${encodeURIComponent(request)}`;
}

function readable(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
