// Twilio's own client sends messages by the stand-in: what is accepted, what is refused and how, and what can fail.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { launch } from './lib/launch.mjs';
import { clientOf, kOurs, kPerson, sendBy } from './lib/twilio-client.mjs';

let standin;
before(async () => {
  standin = await launch('twilio.mjs');
});
after(() => standin.stop());
beforeEach(() => standin.control('DELETE /faults'));

const client = (options) => clientOf(standin, options);
const send = (change) => sendBy(client(), change);

describe('sending', () => {
  it('a message is accepted, kept, and read back', async () => {
    const message = await send({ body: 'PIN: 123456 ✓' });
    assert.match(message.sid, /^SM[0-9a-f]{32}$/);
    assert.equal(message.status, 'queued');
    assert.equal(message.direction, 'outbound-api');
    assert.ok(message.dateCreated instanceof Date && !Number.isNaN(message.dateCreated.getTime()));
    assert.equal((await client().messages(message.sid).fetch()).body, 'PIN: 123456 ✓');
    const kept = (await standin.control(`GET /messages?to=${encodeURIComponent(kPerson)}`)).at(-1);
    assert.equal(kept.params.Body, 'PIN: 123456 ✓');
    assert.equal(
      (await client().messages.list({ to: kPerson })).some(({ sid }) => sid === message.sid),
      true,
    );
  });

  it('whoever waits for the next message is woken by it', async () => {
    const [last] = (await standin.control('GET /messages')).slice(-1);
    const waiting = standin.control(`GET /messages?after=${last?.n ?? 0}&wait=30`);
    await send({ body: 'awaited' });
    assert.equal((await waiting)[0].resource.body, 'awaited');
  });

  for (const [text, segments] of [
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['€'.repeat(81), 2],
    ['✓'.repeat(70), 1],
    ['✓'.repeat(71), 2],
  ]) {
    it(`${text.length} times '${text[0]}' cost ${segments} segments`, async () => {
      assert.equal((await send({ body: text })).numSegments, String(segments));
    });
  }

  it('a trial account sends to verified numbers only, and says so in the text', async () => {
    await standin.control('POST /settings', { trial: true });
    await assert.rejects(send(), { status: 400, code: 21608 });
    await standin.control('POST /settings', { verified: [kPerson] });
    assert.equal((await send({ body: 'PIN' })).body, 'Sent from your Twilio trial account - PIN');
    await standin.control('POST /settings', { trial: false });
  });

  it('a token that was changed is asked for from then on', async () => {
    const old = client();
    await standin.control('POST /settings', { authToken: 'f'.repeat(32) });
    await assert.rejects(sendBy(old), { code: 20003 });
    assert.equal((await sendBy(client({ password: 'f'.repeat(32) }))).status, 'queued');
    await standin.control('POST /settings', { authToken: standin.facts.authToken });
  });

  it('an API key may send, a messaging service may be the sender', async () => {
    const { apiKeySid, apiKeySecret, messagingServices } = standin.facts;
    const message = await client({ user: apiKeySid, password: apiKeySecret }).messages.create({
      to: kPerson,
      messagingServiceSid: messagingServices[0],
      body: 'x',
    });
    assert.equal(message.status, 'accepted');
    assert.equal(message.from, null);
  });

  it('a wrong token is 401 with code 20003', async () => {
    const wrong = client({ password: 'wrong' }).messages.create({
      to: kPerson,
      from: kOurs,
      body: 'x',
    });
    await assert.rejects(wrong, {
      status: 401,
      code: 20003,
      moreInfo: 'https://www.twilio.com/docs/errors/20003',
    });
  });

  for (const [what, change, code] of [
    ['a To that is no number', { to: 'nobody' }, 21211],
    ['a To that is not valid', { to: '+15005550001' }, 21211],
    ['a To that cannot be reached', { to: '+15005550002' }, 21612],
    ['a To in a region without permission', { to: '+15005550003' }, 21408],
    ['a To that has unsubscribed', { to: '+15005550004' }, 21610],
    ['a To that is no mobile', { to: '+15005550009' }, 21614],
    ['a From that is not valid', { from: '+15005550001' }, 21212],
    ['a From of another account', { from: '+15005550007' }, 21606],
    ['a From that nobody bought', { from: '+15005551234' }, 21659],
    ['a From with a full queue', { from: '+15005550008' }, 21611],
    ['a From that is the To', { to: kOurs }, 21266],
    ['an unknown messaging service', { from: undefined, messagingServiceSid: `MG${'0'.repeat(32)}` }, 21705],
    ['no From', { from: undefined }, 21603],
    ['no Body', { body: '' }, 21602],
    ['a Body that is too long', { body: 'x'.repeat(1601) }, 21617],
  ]) {
    it(`${what} is refused with code ${code}`, async () => {
      const before = (await standin.control('GET /messages')).length;
      await assert.rejects(send(change), { status: 400, code });
      assert.equal((await standin.control('GET /messages')).length, before);
    });
  }
});

describe('faults', () => {
  const fault = (rule) => standin.control('POST /faults', { match: 'POST /2010-04-01', ...rule });

  it('429 is code 20429, and is retried by a client that was told to', async () => {
    await fault({ fault: '429', retryAfter: 1 });
    await assert.rejects(send(), { status: 429, code: 20429 });
    await fault({ fault: '429' });
    const message = await client({ autoRetry: true }).messages.create({
      to: kPerson,
      from: kOurs,
      body: 'x',
    });
    assert.equal(message.status, 'queued');
  });

  it('500 and 503 are code 20500', async () => {
    await fault({ fault: '500' });
    await fault({ fault: '503' });
    await assert.rejects(send(), { status: 500, code: 20500 });
    await assert.rejects(send(), { status: 503, code: 20500 });
  });

  it('an answer cut off, and a connection dropped, are errors', async () => {
    await fault({ fault: 'cut' });
    await fault({ fault: 'drop' });
    await assert.rejects(send());
    await assert.rejects(send());
  });

  it('an answer that never comes ends with the time limit of the caller', async () => {
    await fault({ fault: 'hang' });
    const impatient = client({ timeout: 200 });
    await assert.rejects(impatient.messages.create({ to: kPerson, from: kOurs, body: 'x' }), /timeout/);
  });
});
