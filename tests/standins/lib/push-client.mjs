// The official client of push services, web-push, turned to the stand-in, for the checks.

import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';

import webpush from 'web-push';

/// Keys of a server, and `send(subscription, text, change)`, which gives the answer's status.
export function senderTo({ facts }) {
  const keys = webpush.generateVAPIDKeys();
  const agent = new Agent({ ca: readFileSync(facts.ca) });
  const vapidDetails = { subject: 'mailto:owner@example.org', ...keys };
  return {
    keys,
    send: (subscription, text, change = {}) =>
      webpush
        .sendNotification(toClient(facts, subscription), text, { TTL: 60, vapidDetails, agent, ...change })
        .then(({ statusCode }) => statusCode),
    /// What it would send, for a check to change before it goes.
    draft: (subscription, text, change = {}) =>
      webpush.generateRequestDetails(toClient(facts, subscription), text, {
        TTL: 60,
        vapidDetails,
        ...change,
      }),
    agent,
  };
}

function toClient(facts, { path, p256dh, auth }) {
  return { endpoint: facts.https + path, keys: { p256dh, auth } };
}
