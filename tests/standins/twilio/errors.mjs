// Twilio's error documents: { code, message, more_info, status }.
// Source: Twilio, "Error and warning dictionary"; the numbers are those of its "Test credentials".

import { json } from '../lib/http.mjs';

export function twilioError(status, code, message, headers = {}) {
  return json(
    status,
    { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
    headers,
  );
}

export function unauthorized() {
  return twilioError(401, 20003, 'Authenticate', { 'WWW-Authenticate': 'Basic realm="Twilio API"' });
}

export function notFound(request) {
  return twilioError(404, 20404, `The requested resource ${request.path} was not found`);
}

/// The answer for a failing service: 429, or any 4xx or 5xx.
export function failure(status, retryAfter) {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  if (status === 429) return twilioError(429, 20429, 'Too Many Requests', headers);
  if (status === 401) return unauthorized();
  return twilioError(
    status,
    status >= 500 ? 20500 : 20001,
    status >= 500 ? 'An internal server error has occurred' : 'Bad request',
    headers,
  );
}

/// What a message to one of these numbers is refused with.
export const kRefusedTo = new Map([
  ['+15005550001', [21211, (to) => `Invalid 'To' Phone Number: ${to}`]],
  [
    '+15005550002',
    [
      21612,
      (to) => `Message cannot be sent with the current combination of 'To' (${to}) and/or 'From' parameters`,
    ],
  ],
  [
    '+15005550003',
    [
      21408,
      (to) =>
        `Permission to send an SMS has not been enabled for the region indicated by the 'To' number: ${to}`,
    ],
  ],
  ['+15005550004', [21610, () => 'Attempt to send to unsubscribed recipient']],
  ['+15005550009', [21614, (to) => `To number: ${to}, is not a mobile number`]],
]);

/// What a message from one of these numbers is refused with.
export const kRefusedFrom = new Map([
  ['+15005550001', [21212, (from) => `Invalid From Number (caller ID): ${from}`]],
  [
    '+15005550007',
    [
      21606,
      (from) =>
        `The 'From' phone number provided (${from}) is not a valid message-capable Twilio phone number.`,
    ],
  ],
  [
    '+15005550008',
    [21611, (from) => `This 'From' number has exceeded the maximum number of queued messages: ${from}`],
  ],
]);
