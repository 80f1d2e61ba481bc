// The control interface that tests steer a stand-in by: JSON over HTTP on a loopback port of its own.

import { json } from './http.mjs';

/// Answers one control request. Every stand-in knows
///   POST /faults {…}                              the next matching requests go wrong (lib/faults.mjs)
///   GET /faults, DELETE /faults                   those left; forget them
///   GET /requests?after=N&wait=SECONDS&match=TEXT requests received, waiting for the first when there is none
///   DELETE /requests                              forget them
/// and what its `service.control` adds. Errors are thrown, and become 400 with { error }.
export async function controlAnswer({ service, faults, requests }, request) {
  const common = {
    'POST /faults': (body) => faults.add(body),
    'GET /faults': () => faults.left(),
    'DELETE /faults': () => faults.clear(),
    'GET /requests': (_, query) => entriesOf(requests, query),
    'DELETE /requests': () => requests.clear(),
  };
  const route = `${request.method} ${request.path}`;
  const action = service.control[route] ?? common[route];
  if (!action) return json(404, { error: `no such control: ${route}` });
  const body = request.body ? JSON.parse(request.body) : {};
  return json(200, (await action(body, request.query)) ?? {});
}

/// The entries of `journal` that a query asks for by after=, wait= and match= (a text in "METHOD /path?query").
export function entriesOf(journal, query) {
  const match = query.get('match') ?? '';
  const wanted = (entry) => match === '' || `${entry.method} ${entry.url}`.includes(match);
  return journal.wait(Number(query.get('wait') ?? 0), Number(query.get('after') ?? 0), wanted);
}

/// The controls GET /settings and POST /settings of a stand-in whose settings are an object; a stray name is an error.
export function settingsControl(settings) {
  return {
    'GET /settings': () => settings,
    'POST /settings': (changes) => {
      const stray = Object.keys(changes).find((name) => !(name in settings));
      if (stray) throw new Error(`no such setting: '${stray}'`);
      return Object.assign(settings, changes);
    },
  };
}
