// A person's text message on its way to the customer's webhook, honest or forged in the ways an attacker would try.

import { randomBytes } from 'node:crypto';

import { newSid } from './messages.mjs';
import { signatureOf, signedUrl } from './signature.mjs';
import { makeWebhook, repliesIn, sendWebhook, withQuery } from './webhook.mjs';

/// The forgeries that `Inbound.reply` knows.
export const kForgeries = [
  'unsigned',
  'wrong-signature',
  'wrong-token',
  'tampered',
  'other-url',
  'other-sender',
  'replayed',
];

export class Inbound {
  #lastHonest = null;

  constructor(account, messages) {
    this.account = account;
    this.messages = messages;
  }

  /// Sends the message `body` of `from` to `url` and returns { messageSid, signature, attempts, alerts }.
  /// Optional: `to`, `messageSid`, `method` ('POST'), `params` (more fields), `signPort` ('as-is', 'with', 'without'),
  /// `signer` ('official': Twilio's own library, which must be installed, signs instead of signature.mjs),
  /// `ca` (a file) or `insecure` for https, and `fault`: one of
  ///   unsigned          no signature
  ///   wrong-signature   twenty random bytes
  ///   wrong-token       signed with another account's token
  ///   tampered          signed, then the text changed
  ///   other-url         signed for another path
  ///   other-sender      another person's number, honestly signed
  ///   replayed          the last honest webhook once more, byte for byte; `body` is ignored
  async reply(reply) {
    const { fault = null, ca, insecure } = reply;
    if (fault !== null && !kForgeries.includes(fault)) throw new Error(`no such fault: '${fault}'`);
    const webhook = fault === 'replayed' ? this.#again() : await this.#compose(reply, fault);
    if (fault === null) this.#lastHonest = webhook;
    const { params } = webhook;
    this.messages.heed(params.From, params.Body);
    const outcome = await sendWebhook(webhook, { ca, insecure });
    for (const text of repliesIn(outcome.attempts.at(-1))) {
      this.messages.add({ To: params.From, From: params.To, Body: text }, 'outbound-reply');
    }
    return {
      messageSid: params.MessageSid,
      signature: webhook.headers['X-Twilio-Signature'] ?? null,
      ...outcome,
    };
  }

  #again() {
    if (!this.#lastHonest) throw new Error('no honest webhook was sent yet that could be replayed');
    return this.#lastHonest;
  }

  async #compose({ url, method = 'POST', signPort, signer, ...message }, fault) {
    const sign = signer === 'official' ? await officialSigner() : signatureOf;
    const params = this.#paramsOf(message, fault);
    const wire = fault === 'tampered' ? { ...params, Body: `${params.Body}0` } : params;
    const signature = this.#signature({ url, method, params, signPort, sign }, fault);
    return makeWebhook({ url, method, params: wire, signature });
  }

  #signature({ url, method, params, signPort, sign }, fault) {
    if (fault === 'unsigned') return null;
    if (fault === 'wrong-signature') return randomBytes(20).toString('base64');
    const token = fault === 'wrong-token' ? randomBytes(16).toString('hex') : this.account.authToken;
    const target = fault === 'other-url' ? new URL('/another', url).href : url;
    const form = new URLSearchParams(params).toString();
    if (method === 'GET') return sign(token, signedUrl(withQuery(target, form), signPort), {});
    return sign(token, signedUrl(target, signPort), params);
  }

  #paramsOf(
    { body, from = '+15005550100', to = this.account.numbers[0], messageSid = newSid('SM'), params = {} },
    fault,
  ) {
    return {
      ToCountry: 'US',
      ToState: '',
      ToCity: '',
      ToZip: '',
      FromCountry: 'US',
      FromState: '',
      FromCity: '',
      FromZip: '',
      SmsMessageSid: messageSid,
      SmsSid: messageSid,
      MessageSid: messageSid,
      SmsStatus: 'received',
      NumMedia: '0',
      NumSegments: '1',
      AccountSid: this.account.accountSid,
      ApiVersion: '2010-04-01',
      Body: String(body),
      To: to,
      From: fault === 'other-sender' ? '+15005550199' : from,
      ...params,
    };
  }
}

async function officialSigner() {
  const { default: twilio } = await import('twilio');
  return twilio.getExpectedTwilioSignature;
}
