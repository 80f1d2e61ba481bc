// Twilio's own client, turned to the stand-in, for the checks.

import { readFileSync } from 'node:fs';

import twilio from 'twilio';

export const kPerson = '+15005550100';
export const kOurs = '+15005550006';

/// The official client with the stand-in's account, or another `user` and `password`; `options` as RequestClient's.
export function clientOf(
  { facts },
  { user = facts.accountSid, password = facts.authToken, ...options } = {},
) {
  const httpClient = new (toward(facts.https))({ ca: readFileSync(facts.ca), ...options });
  return twilio(user, password, { accountSid: facts.accountSid, httpClient });
}

/// A request client that goes to `address` wherever the official one would go to Twilio.
function toward(address) {
  return class extends twilio.RequestClient {
    request(request) {
      return super.request({ ...request, uri: request.uri.replace('https://api.twilio.com', address) });
    }
  };
}

/// A short message to the person, with `change`s.
export function sendBy(client, change = {}) {
  return client.messages.create({ to: kPerson, from: kOurs, body: 'hello', ...change });
}
