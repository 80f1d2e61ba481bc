// Twilio's own library judges the stand-in's webhooks and their signatures, and signs some itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';

import twilio from 'twilio';

import { launch } from './lib/launch.mjs';
import { clientOf, kPerson, sendBy } from './lib/twilio-client.mjs';
import { signatureOf, signedUrl } from './twilio/signature.mjs';

let standin;
before(async () => {
  standin = await launch('twilio.mjs');
});
after(() => standin.stop());

const client = () => clientOf(standin);
const send = (change) => sendBy(client(), change);

describe('webhooks', () => {
  let receiver;
  let url;
  let received;
  let answer;

  before(async () => {
    receiver = createServer(async (incoming, outgoing) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      received.push({
        method: incoming.method,
        url: incoming.url,
        headers: incoming.headers,
        params: Object.fromEntries(new URLSearchParams(body)),
      });
      const [status, headers, text] = answer(received.length);
      outgoing.writeHead(status, headers).end(text);
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    url = `http://127.0.0.1:${receiver.address().port}/incoming-message`;
  });
  after(() => receiver.close());
  beforeEach(() => {
    received = [];
    answer = () => [204, {}, ''];
  });

  const reply = (change = {}) =>
    standin.control('POST /replies', { url, from: kPerson, body: '123456', ...change });
  const isValid = ({ headers, params }, at = url) =>
    twilio.validateRequest(standin.facts.authToken, headers['x-twilio-signature'] ?? '', at, params);

  it('an honest one is valid for the official library', async () => {
    const { messageSid, alerts } = await reply({ body: 'ja, 123456 ✓ & more' });
    assert.equal(received.length, 1);
    assert.equal(received[0].params.MessageSid, messageSid);
    assert.equal(received[0].params.From, kPerson);
    assert.equal(received[0].params.Body, 'ja, 123456 ✓ & more');
    assert.equal(isValid(received[0]), true);
    assert.deepEqual(alerts, []);
  });

  it('one signed by the official library itself carries the signature that ours would have', async () => {
    const { signature } = await reply({ signer: 'official' });
    assert.equal(signature, signatureOf(standin.facts.authToken, url, received[0].params));
    assert.equal(isValid(received[0]), true);
  });

  it('the URL is signed with its query, and without its fragment', async () => {
    await reply({ url: `${url}?host=nas&empty=#rc=2` });
    assert.equal(received[0].url, '/incoming-message?host=nas&empty=');
    assert.equal(isValid(received[0], `${url}?host=nas&empty=`), true);
    assert.equal(isValid(received[0], url), false);
  });

  it('by GET the fields travel in the query and are signed there', async () => {
    await reply({ method: 'GET' });
    assert.equal(received[0].method, 'GET');
    assert.equal(isValid(received[0], new URL(received[0].url, url).href), true);
  });

  it('the port may be missing from the signed URL, and the official library accepts that', async () => {
    const { signature } = await reply({ signPort: 'without' });
    assert.equal(
      signature,
      twilio.getExpectedTwilioSignature(
        standin.facts.authToken,
        'http://127.0.0.1/incoming-message',
        received[0].params,
      ),
    );
    assert.equal(isValid(received[0]), true);
  });

  for (const fault of ['unsigned', 'wrong-signature', 'wrong-token', 'tampered', 'other-url']) {
    it(`one that is ${fault} is refused by the official library`, async () => {
      await reply({ fault });
      assert.equal(received.length, 1);
      assert.equal(isValid(received[0]), false);
    });
  }

  it('one of another sender is signed, and says so', async () => {
    await reply({ fault: 'other-sender' });
    assert.equal(isValid(received[0]), true);
    assert.notEqual(received[0].params.From, kPerson);
  });

  it('a replayed one is the same in every byte', async () => {
    await reply();
    await reply({ fault: 'replayed' });
    const [first, second] = received;
    assert.deepEqual(second.params, first.params);
    for (const name of ['x-twilio-signature', 'i-twilio-idempotency-token', 'content-type', 'user-agent']) {
      assert.equal(second.headers[name], first.headers[name]);
    }
  });

  it('a server that fails is asked again with the same ids, when the URL says so', async () => {
    answer = (n) => (n === 1 ? [502, {}, ''] : [204, {}, '']);
    const { attempts, alerts } = await reply({ url: `${url}#rc=2&rp=5xx` });
    assert.deepEqual(
      attempts.map(({ status }) => status),
      [502, 204],
    );
    assert.equal(received[0].params.MessageSid, received[1].params.MessageSid);
    assert.equal(
      received[0].headers['i-twilio-idempotency-token'],
      received[1].headers['i-twilio-idempotency-token'],
    );
    assert.deepEqual(alerts, []);
  });

  it('without such words a failing server is asked once, and shows in the debugger', async () => {
    answer = () => [404, {}, ''];
    const { attempts, alerts } = await reply();
    assert.equal(attempts.length, 1);
    assert.equal(alerts[0].code, 11200);
  });

  it('an answer that does not come within the limit is a failure of the webhook', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { attempts, alerts } = await reply({ url: `http://127.0.0.1:${silent.address().port}/#rt=100` });
    silent.close();
    assert.equal(attempts.length, 1);
    assert.equal(alerts[0].code, 11200);
  });

  it('an address where nobody listens is tried twice', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address();
    await new Promise((resolve) => closed.close(resolve));
    const { attempts, alerts } = await reply({ url: `http://127.0.0.1:${port}/` });
    assert.deepEqual(
      attempts.map(({ error }) => error),
      ['ECONNREFUSED', 'ECONNREFUSED'],
    );
    assert.equal(alerts[0].code, 11205);
  });

  it('TwiML made by the official library becomes a message to the person', async () => {
    const response = new twilio.twiml.MessagingResponse();
    response.message('approved');
    answer = () => [200, { 'Content-Type': 'text/xml' }, response.toString()];
    const { alerts } = await reply();
    const last = (await standin.control('GET /messages')).at(-1);
    assert.deepEqual(alerts, []);
    assert.equal(last.resource.direction, 'outbound-reply');
    assert.equal(last.resource.to, kPerson);
    assert.equal(last.resource.body, 'approved');
  });

  it('an answer that is no TwiML shows in the debugger', async () => {
    answer = () => [200, { 'Content-Type': 'application/json' }, '{}'];
    assert.equal((await reply()).alerts[0].code, 12300);
    answer = () => [200, { 'Content-Type': 'text/xml' }, '<Response>'];
    assert.equal((await reply()).alerts[0].code, 12100);
  });

  it('whoever answers STOP gets no more messages until START', async () => {
    await reply({ body: ' stop ' });
    await assert.rejects(send(), { code: 21610 });
    await reply({ body: 'START' });
    assert.equal((await send()).status, 'queued');
  });

  it('a status callback is signed and tells the new status', async () => {
    const { sid } = await send({ statusCallback: `${url}/status` });
    await standin.control('POST /messages/status', { sid, status: 'undelivered', errorCode: 30003 });
    assert.equal(received[0].params.MessageStatus, 'undelivered');
    assert.equal(isValid(received[0], `${url}/status`), true);
    assert.equal((await client().messages(sid).fetch()).errorCode, 30003);
  });

  it('a fault that nobody knows is refused', async () => {
    await assert.rejects(reply({ fault: 'unsinged' }), /no such fault/);
  });
});

describe('signature functions', () => {
  const token = 'd'.repeat(32);
  const params = { Body: 'ß & "x"', From: '+15005550100', Empty: '', Media: ['b', 'a', 'b'], a: '1', Z: '2' };

  for (const url of [
    'https://gateway.example/incoming-message',
    'https://gateway.example:8443/in?x=1&y=%20',
    'http://127.0.0.1:80/',
  ]) {
    it(`ours and the official one are the same for ${url}`, () => {
      assert.equal(signatureOf(token, url, params), twilio.getExpectedTwilioSignature(token, url, params));
    });
  }

  it('the official library accepts ours with and without the port', () => {
    const url = 'https://gateway.example/incoming-message';
    for (const port of ['as-is', 'with', 'without']) {
      assert.equal(
        twilio.validateRequest(token, signatureOf(token, signedUrl(url, port), params), url, params),
        true,
      );
    }
    assert.equal(signedUrl(url, 'with'), 'https://gateway.example:443/incoming-message');
  });
});
