// What both stand-ins need of HTTP: a request read whole, and answers as plain data that the server sends later.

const kLongestBody = 1 << 20;

/// Reads `incoming` to its end: `{ method, path, query, url, headers, body, bytes, origin }`, where `path` has no query
/// and `body` is `bytes` as text. Throws when the body is longer than 1 MiB or the client goes away.
export async function readRequest(incoming) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > kLongestBody) throw new Error('request body longer than 1 MiB');
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const scheme = incoming.socket.encrypted ? 'https' : 'http';
  const origin = `${scheme}://${incoming.headers.host ?? 'localhost'}`;
  const url = new URL(incoming.url, origin);
  return {
    method: incoming.method,
    url: incoming.url,
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: incoming.headers,
    body: bytes.toString('utf8'),
    bytes,
    origin,
  };
}

/// An answer with a JSON body.
export function json(status, value, headers = {}) {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/// An answer without a body.
export function empty(status, headers = {}) {
  return { status, headers, body: '' };
}

/// The fields of an x-www-form-urlencoded body.
export function formOf(request) {
  return new URLSearchParams(request.body);
}

/// `[user, password]` of a Basic Authorization header, or null.
export function basicCredentials(request) {
  const [scheme, encoded] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic' || !encoded) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}
