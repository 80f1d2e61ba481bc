// A stand-in for Twilio's messages on loopback. Run as
//   node twilio.mjs [--port N] [--http-port N] [--control-port N]
// it prints its addresses and credentials as one line of JSON. lib/control.mjs and `control` below say how tests
// steer it.

import { randomBytes } from 'node:crypto';

import { settingsControl } from './lib/control.mjs';
import { runStandIn } from './lib/server.mjs';
import { failure } from './twilio/errors.mjs';
import { Inbound } from './twilio/inbound.mjs';
import { Messages, newSid } from './twilio/messages.mjs';
import { signatureOf, signedUrl } from './twilio/signature.mjs';
import { makeWebhook, sendWebhook } from './twilio/webhook.mjs';

/// What `POST /settings` can change. A `trial` account sends to `verified` numbers only, and each text says that it is
/// one.
const account = {
  accountSid: newSid('AC'),
  authToken: randomBytes(16).toString('hex'),
  apiKeySid: newSid('SK'),
  apiKeySecret: randomBytes(16).toString('hex'),
  numbers: ['+15005550006'],
  messagingServices: [newSid('MG')],
  trial: false,
  verified: [],
};
const messages = new Messages(account);
const inbound = new Inbound(account, messages);

/// Changes the status of a sent message, and tells its StatusCallback where it has one.
async function setStatus({ sid, status, errorCode = null, ca, insecure }) {
  const message = messages.find(sid);
  if (!message) throw new Error(`no such message: '${sid}'`);
  Object.assign(message.resource, { status, error_code: errorCode });
  const url = message.params.StatusCallback;
  if (!url) return message.resource;
  const { From = '', To } = message.params;
  const params = {
    SmsSid: sid,
    MessageSid: sid,
    SmsStatus: status,
    MessageStatus: status,
    To,
    From,
    AccountSid: account.accountSid,
    ApiVersion: '2010-04-01',
    ...(errorCode !== null && { ErrorCode: String(errorCode) }),
  };
  const signature = signatureOf(account.authToken, signedUrl(url), params);
  return {
    ...message.resource,
    ...(await sendWebhook(makeWebhook({ url, params, signature }), { ca, insecure })),
  };
}

/// Every message sent, oldest first; `GET /messages?after=N&wait=SECONDS&to=NUMBER` waits for the first.
function sentMessages(query) {
  const to = query.get('to');
  const wanted = ({ resource }) => !to || resource.to === to;
  return messages.sent.wait(Number(query.get('wait') ?? 0), Number(query.get('after') ?? 0), wanted);
}

await runStandIn({
  name: 'twilio',
  faults: [],
  answer: (request) => messages.answer(request),
  faultAnswer: ({ fault, retryAfter }) => failure(Number(fault), retryAfter),
  control: {
    ...settingsControl(account),
    'GET /messages': (_, query) => sentMessages(query),
    'DELETE /messages': () => messages.sent.clear(),
    'POST /messages/status': (body) => setStatus(body),
    'POST /replies': (body) => inbound.reply(body),
    'POST /signatures': ({ url, params }) => ({ signature: signatureOf(account.authToken, url, params) }),
  },
  facts: () => account,
});
