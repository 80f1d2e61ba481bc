// What a push service asks of a message: RFC 8030 (TTL, Urgency, Topic), RFC 8188 (coding, size), RFC 8292 (who sends).

import { createPublicKey, verify } from 'node:crypto';

import { json } from '../lib/http.mjs';

const kLargestBody = 4096;
const kLongestToken = 24 * 60 * 60;
const kUrgencies = ['very-low', 'low', 'normal', 'high'];

/// An answer that refuses: { status, … } as lib/http.mjs makes them.
export function refusal(status, reason, retryAfter) {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  return json(status, { reason }, headers);
}

/// Why a message is not taken, as an answer; or null.
export function whyNot(request, applicationServerKey) {
  const { headers, bytes } = request;
  if (!/^\d{1,10}$/.test(headers.ttl ?? '')) return refusal(400, 'TTL is missing, or no number');
  if (headers['content-encoding'] !== 'aes128gcm') return refusal(400, 'the coding is not aes128gcm');
  if (bytes.length > kLargestBody) return refusal(413, 'longer than 4096 bytes');
  if (headers.urgency !== undefined && !kUrgencies.includes(headers.urgency))
    return refusal(400, 'no such urgency');
  if (headers.topic !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(headers.topic))
    return refusal(400, 'no such topic');
  return whyNotBy(request, applicationServerKey);
}

/// The same for its sender.
function whyNotBy({ headers, origin }, applicationServerKey) {
  const credentials = /^vapid t=([\w.-]+),\s*k=([\w-]+)$/.exec(headers.authorization ?? '');
  if (!credentials) return refusal(401, 'no vapid credentials');
  const [, token, key] = credentials;
  const claims = claimsOf(token, key);
  if (!claims) return refusal(403, 'the token is not signed by that key');
  const left = claims.exp - Date.now() / 1000;
  if (claims.aud !== origin) return refusal(403, `the token is for ${claims.aud}`);
  if (!(left > 0 && left <= kLongestToken)) return refusal(403, 'the token is over, or lasts too long');
  if (claims.sub !== undefined && !/^(mailto:.+@.+|https:.+)$/.test(claims.sub))
    return refusal(403, 'sub is neither mailto: nor https:');
  if (applicationServerKey !== null && applicationServerKey !== key)
    return refusal(403, 'the subscription is of another key');
  return null;
}

/// The claims of a JWT that the point `key` signed with ES256; null for any other.
function claimsOf(token, key) {
  const [head, body, signature, ...more] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  if (!signature || more.length > 0 || point.length !== 65 || point[0] !== 4) return null;
  try {
    if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'ES256') return null;
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
    const raw = Buffer.from(signature, 'base64url');
    if (!verify('sha256', Buffer.from(`${head}.${body}`), publicKey, raw)) return null;
    return JSON.parse(Buffer.from(body, 'base64url'));
  } catch {
    return null;
  }
}
