// The official client, web-push, sends by the stand-in: what is taken and read, what is refused, and what can fail.

import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { after, before, beforeEach, describe, it } from 'node:test';

import webpush from 'web-push';

import { launch } from './lib/launch.mjs';
import { senderTo } from './lib/push-client.mjs';

let standin;
let sender;
before(async () => {
  standin = await launch('push.mjs');
  sender = senderTo(standin);
});
after(() => standin.stop());
beforeEach(() => standin.control('DELETE /faults'));

const subscribe = (key) => standin.control('POST /subscriptions', { key });
const arrived = ({ id }) => standin.control(`GET /messages?subscription=${id}`);

/// Sends a draft of the client's after `change` has had its way with its headers and body; the answer's status.
async function sendChanged(subscription, change, options) {
  const draft = sender.draft(subscription, 'text', options);
  change(draft);
  const outgoing = httpsRequest(draft.endpoint, {
    method: 'POST',
    agent: sender.agent,
    headers: draft.headers,
  });
  outgoing.end(draft.body);
  const [answer] = await once(outgoing, 'response');
  answer.resume();
  return answer.statusCode;
}

async function assertRefused(status, change, options) {
  const subscription = await subscribe();
  assert.equal(await sendChanged(subscription, change, options), status);
  assert.deepEqual(await arrived(subscription), []);
}

/// A token signed by `keys` whose claims were changed.
function tokenWith(claims, keys = sender.keys) {
  const { Authorization } = webpush.getVapidHeaders(
    claims.aud ?? standin.facts.https,
    claims.sub ?? 'mailto:owner@example.org',
    keys.publicKey,
    keys.privateKey,
    'aes128gcm',
    claims.exp,
  );
  return Authorization;
}

/// A token that the client would not make: good for `seconds` from now.
function tokenFor(seconds) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const point = Buffer.from(sender.keys.publicKey, 'base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
      d: sender.keys.privateKey,
    },
  });
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const text = `${part({ typ: 'JWT', alg: 'ES256' })}.${part({ aud: standin.facts.https, exp })}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${text}.${signature.toString('base64url')}, k=${sender.keys.publicKey}`;
}

describe('sending', () => {
  it('a message is taken, read by the browser, and written down', async () => {
    const subscription = await subscribe(sender.keys.publicKey);
    assert.equal(await sender.send(subscription, 'nas ✓', { urgency: 'high', topic: 'nas' }), 201);
    const [message] = await arrived(subscription);
    assert.equal(message.text, 'nas ✓');
    assert.deepEqual([message.ttl, message.urgency, message.topic], [60, 'high', 'nas']);
  });

  it('whoever waits for the next message is woken by it', async () => {
    const subscription = await subscribe();
    const waiting = standin.control(`GET /messages?subscription=${subscription.id}&wait=30`);
    await sender.send(subscription, 'awaited');
    assert.equal((await waiting)[0].text, 'awaited');
  });

  it('a message for another browser is taken and cannot be read', async () => {
    const [one, other] = [await subscribe(), await subscribe()];
    assert.equal(await sender.send({ ...one, p256dh: other.p256dh }, 'text'), 201);
    const [message] = await arrived(one);
    assert.equal(message.text, undefined);
    assert.match(message.error, /authenticate|decrypt/i);
  });
});

describe('refusals', () => {
  it('who does not sign', () => assertRefused(401, ({ headers }) => delete headers.Authorization));
  it('a token of which one letter was changed', () =>
    assertRefused(403, ({ headers }) => {
      const at = headers.Authorization.indexOf('.') + 5;
      const letter = headers.Authorization[at] === 'A' ? 'B' : 'A';
      headers.Authorization =
        headers.Authorization.slice(0, at) + letter + headers.Authorization.slice(at + 1);
    }));
  it("a token by another key than the one that it's said to be by", () =>
    assertRefused(403, ({ headers }) => {
      const other = tokenWith({}, webpush.generateVAPIDKeys());
      headers.Authorization = `${other.split(', k=')[0]}, k=${sender.keys.publicKey}`;
    }));
  it('a token for another service', () =>
    assertRefused(403, ({ headers }) => {
      headers.Authorization = tokenWith({ aud: 'https://push.example' });
    }));
  it('a token that is over', () =>
    assertRefused(403, ({ headers }) => {
      headers.Authorization = tokenWith({ exp: Math.floor(Date.now() / 1000) - 5 });
    }));
  it('a token that lasts for more than a day', async () => {
    const subscription = await subscribe();
    const within = ({ headers }) => (headers.Authorization = tokenFor(23 * 3600));
    assert.equal(await sendChanged(subscription, within), 201);
    await assertRefused(403, ({ headers }) => (headers.Authorization = tokenFor(25 * 3600)));
  });
  it('a message without TTL', () => assertRefused(400, ({ headers }) => delete headers.TTL));
  it('another coding', () => assertRefused(400, ({ headers }) => (headers['Content-Encoding'] = 'aesgcm')));
  it('an urgency that there is not', () => assertRefused(400, ({ headers }) => (headers.Urgency = 'asap')));
  it('a topic that is too long', () => assertRefused(400, ({ headers }) => (headers.Topic = 'x'.repeat(33))));
  it('a body that is too long', () =>
    assertRefused(413, (draft) => {
      draft.body = Buffer.alloc(4097);
      draft.headers['Content-Length'] = 4097;
    }));

  it("another server's message to a subscription that is bound to a key", async () => {
    const subscription = await subscribe(webpush.generateVAPIDKeys().publicKey);
    await assert.rejects(sender.send(subscription, 'text'), { statusCode: 403 });
    assert.deepEqual(await arrived(subscription), []);
  });

  it('a subscription that is over, and one that never was', async () => {
    const subscription = await subscribe();
    await standin.control('POST /subscriptions/end', { id: subscription.id });
    await assert.rejects(sender.send(subscription, 'text'), { statusCode: 410 });
    await assert.rejects(sender.send({ ...subscription, path: '/push/nobody' }, 'text'), { statusCode: 404 });
  });
});

describe('faults', () => {
  it('429 with Retry-After, then taken', async () => {
    const subscription = await subscribe();
    await standin.control('POST /faults', { fault: 429, retryAfter: 7, match: subscription.path });
    await assert.rejects(sender.send(subscription, 'text'), ({ statusCode, headers }) => {
      assert.deepEqual([statusCode, headers['retry-after']], [429, '7']);
      return true;
    });
    assert.equal(await sender.send(subscription, 'text'), 201);
  });

  it('a redirect, and an answer that is cut off', async () => {
    const subscription = await subscribe();
    await standin.control('POST /faults', { fault: 'redirect', location: 'https://127.0.0.1:1/' });
    await assert.rejects(sender.send(subscription, 'text'), { statusCode: 307 });
    await standin.control('POST /faults', { fault: 'drop' });
    await assert.rejects(sender.send(subscription, 'text'), { code: 'ECONNRESET' });
  });
});
