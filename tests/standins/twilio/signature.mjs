// X-Twilio-Signature as Twilio computes it.
// Source: Twilio, "Webhooks security": HMAC-SHA1 of the full URL and each form field's name and value, sorted by name.

import { createHmac } from 'node:crypto';

/// The signature over `url` and `params`, an object of name to text or to a list of texts (sent more than once: each
/// different text counts once, sorted).
export function signatureOf(authToken, url, params) {
  const text = Object.keys(params)
    .sort()
    .reduce((so_far, name) => so_far + fieldText(name, params[name]), url);
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

function fieldText(name, value) {
  if (!Array.isArray(value)) return name + value;
  return [...new Set(value)]
    .sort()
    .map((one) => name + one)
    .join('');
}

/// The URL that gets signed: without its fragment, and with `port` 'as-is', 'with' (the scheme's own where none is
/// given) or 'without'. Twilio has been seen to do each; its own library accepts all.
export function signedUrl(url, port = 'as-is') {
  const [address] = url.split('#');
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?]*)(.*)$/.exec(address);
  const host = authority.replace(/:\d+$/, '');
  if (port === 'without') return `${scheme}://${host}${rest}`;
  if (port === 'with' && host === authority)
    return `${scheme}://${host}:${scheme === 'https' ? 443 : 80}${rest}`;
  return address;
}
