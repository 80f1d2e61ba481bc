// Sends webhooks as Twilio does: signed, with its retries, and judging the answer as its debugger does.
// Source: Twilio, "Webhooks FAQ", "Webhooks: connection overrides", "TwiML for programmable messaging".

import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readFileSync } from 'node:fs';

const kAnswerWithin = 15_000;
const kNoConnection = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPROTO',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/// One webhook as it goes over the wire, so that it can be sent again byte for byte. `params` go in the body of a POST,
/// in the query of a GET; `signature` null leaves the header out.
export function makeWebhook({ url, method = 'POST', params, signature }) {
  const form = new URLSearchParams(params).toString();
  const headers = {
    'User-Agent': 'TwilioProxy/1.1',
    Accept: '*/*',
    'I-Twilio-Idempotency-Token': randomUUID(),
    'X-Home-Region': 'us1',
    ...(signature !== null && { 'X-Twilio-Signature': signature }),
  };
  if (method === 'GET') return { url: withQuery(url, form), method, headers, body: '', params };
  headers['Content-Type'] = 'application/x-www-form-urlencoded; charset=UTF-8';
  headers['Content-Length'] = Buffer.byteLength(form);
  return { url, method, headers, body: form, params };
}

/// Adds `form` to the query of `url`, before its fragment.
export function withQuery(url, form) {
  const [address, fragment] = url.split('#');
  const joined = `${address}${address.includes('?') ? '&' : '?'}${form}`;
  return fragment === undefined ? joined : `${joined}#${fragment}`;
}

/// Sends `webhook`, again where the overrides in its URL's fragment (rc, rp, rt) say so; by default once more when
/// there is no connection. `tls` is { ca: file } or { insecure: true }.
/// Returns { attempts: [{ ms, status, headers, body } or { ms, error }], alerts: [{ code, message }] }.
export async function sendWebhook(webhook, tls = {}) {
  const overrides = new URLSearchParams(webhook.url.split('#')[1] ?? '');
  const policy = (overrides.get('rp') ?? 'ct').split(',');
  const most = 1 + Number(overrides.get('rc') ?? 1);
  const within = Number(overrides.get('rt') ?? kAnswerWithin);
  const attempts = [];
  do attempts.push(await attempt(webhook, tls, within));
  while (attempts.length < most && isRetried(attempts.at(-1), policy));
  return { attempts, alerts: alertsFor(attempts.at(-1)) };
}

function isRetried({ status, error }, policy) {
  if (policy.includes('all')) return error !== undefined || status >= 400;
  if (error !== undefined) return policy.includes(kNoConnection.has(error) ? 'ct' : 'rt');
  return policy.includes(`${Math.floor(status / 100)}xx`);
}

function attempt({ url, method, headers, body }, tls, within) {
  const [address] = url.split('#');
  const send = address.startsWith('https:') ? requestHttps : requestHttp;
  const trust = { rejectUnauthorized: !tls.insecure, ...(tls.ca && { ca: readFileSync(tls.ca) }) };
  const options = { method, headers, agent: false, signal: AbortSignal.timeout(within), ...trust };
  const start = Date.now();
  return new Promise((resolve) => {
    const ended = (outcome) => resolve({ ms: Date.now() - start, ...outcome });
    const failed = (error) => ended({ error: error.code ?? error.message });
    const answered = async (answer) => {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      ended({
        status: answer.statusCode,
        headers: answer.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
    };
    send(address, options, (answer) => answered(answer).catch(failed))
      .on('error', failed)
      .end(body);
  });
}

/// What Twilio's debugger would show for the last attempt.
function alertsFor({ status, headers, body, error }) {
  if (error !== undefined)
    return [{ code: kNoConnection.has(error) ? 11205 : 11200, message: `HTTP retrieval failure: ${error}` }];
  if (status >= 400) return [{ code: 11200, message: `HTTP retrieval failure: status ${status}` }];
  if (body === '' || kindOf(headers) === 'text/plain') return [];
  if (!['text/xml', 'application/xml', 'text/html'].includes(kindOf(headers))) {
    return [{ code: 12300, message: `Invalid Content-Type: ${kindOf(headers)}` }];
  }
  return /<Response\s*(\/>|>[\s\S]*<\/Response>)\s*$/.test(body)
    ? []
    : [{ code: 12100, message: 'Document parse failure' }];
}

/// The texts that an answer makes Twilio send back to the person: TwiML <Message>, or a plain text as it stands.
export function repliesIn({ status, headers, body }) {
  if (status === undefined || status >= 400 || body === '') return [];
  if (kindOf(headers) === 'text/plain') return [body];
  return [...body.matchAll(/<Message\b[^>]*>([\s\S]*?)<\/Message>/g)].map(([, text]) =>
    text.replace(/<[^>]*>/g, '').trim(),
  );
}

function kindOf(headers) {
  return (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}
