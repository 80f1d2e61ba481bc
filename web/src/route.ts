// Which view the address names: what follows `#` is never sent to a server.

export type Route =
  | { view: 'requests' | 'history' | 'hosts' | 'passkeys' | 'people' | 'recover' | 'code' }
  | { view: 'request'; id: string }
  | { view: 'register'; invite: string };

const kViews = ['history', 'hosts', 'passkeys', 'people', 'recover', 'code'] as const;

/// The view for `hash`; the open requests for one that names none.
export function routeOf(hash: string): Route {
  const [name = '', value = ''] = hash.replace(/^#/, '').split('=', 2);
  if (name === 'request' && value) return { view: 'request', id: readable(value) };
  if (name === 'register' && value) return { view: 'register', invite: readable(value) };
  const view = kViews.find((known) => known === name);
  return { view: view ?? 'requests' };
}

/// The address of one request's own view.
export function linkTo(id: string): string {
  return `#request=${encodeURIComponent(id)}`;
}

function readable(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
