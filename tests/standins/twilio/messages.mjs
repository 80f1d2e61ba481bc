// Twilio's Messages resource: what is accepted and why not, and the messages sent, on which a test can wait.
// Source: Twilio, "Messages resource", api version 2010-04-01.

import { randomBytes } from 'node:crypto';

import { basicCredentials, formOf, json } from '../lib/http.mjs';
import { Journal } from '../lib/journal.mjs';
import { kRefusedFrom, kRefusedTo, notFound, twilioError, unauthorized } from './errors.mjs';
import { segmentsOf } from './segments.mjs';

const kLongestBody = 1600;
const kTrialPrefix = 'Sent from your Twilio trial account - ';
const kStopWords = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT']);
const kStartWords = new Set(['START', 'YES', 'UNSTOP']);

export class Messages {
  #unsubscribed = new Set();

  /// `account` has accountSid, authToken, apiKeySid, apiKeySecret, numbers, messagingServices, trial and verified.
  constructor(account) {
    this.account = account;
    this.sent = new Journal();
  }

  answer(request) {
    if (!this.#mayEnter(basicCredentials(request))) return unauthorized();
    const collection = `/2010-04-01/Accounts/${this.account.accountSid}/Messages`;
    const route = `${request.method} ${request.path}`;
    if (route === `POST ${collection}.json`) return this.#create(formOf(request));
    if (route === `GET ${collection}.json`) return this.#list(request);
    const one = new RegExp(`^GET ${collection}/(SM[0-9a-f]{32})\\.json$`).exec(route);
    const message = one && this.find(one[1]);
    return message ? json(200, message.resource) : notFound(request);
  }

  /// The message with that sid: { n, params, resource }, or undefined.
  find(sid) {
    return this.sent.list(0, (message) => message.resource.sid === sid)[0];
  }

  /// Writes down a message, as one that was accepted or that a webhook answered.
  add(params, direction) {
    return this.sent.add({ params, resource: resourceOf(this.account.accountSid, params, direction) });
  }

  /// Notes the words by which a person leaves and comes back; the carrier acts on them before any webhook.
  heed(from, body) {
    const word = body.trim().toUpperCase();
    if (kStopWords.has(word)) this.#unsubscribed.add(from);
    if (kStartWords.has(word)) this.#unsubscribed.delete(from);
  }

  #mayEnter(credentials) {
    const { accountSid, authToken, apiKeySid, apiKeySecret } = this.account;
    const [user, password] = credentials ?? [];
    return (
      (user === accountSid && password === authToken) || (user === apiKeySid && password === apiKeySecret)
    );
  }

  #create(form) {
    const params = Object.fromEntries(form);
    params.To = plainNumber(params.To);
    const problem = this.#problemWith(params);
    if (problem) return twilioError(400, ...problem);
    if (this.account.trial) params.Body = kTrialPrefix + params.Body;
    return json(201, this.add(params, 'outbound-api').resource);
  }

  #list(request) {
    const to = request.query.get('To');
    const wanted = ({ resource }) => !to || resource.to === to;
    const messages = this.sent
      .list(0, wanted)
      .map(({ resource }) => resource)
      .reverse();
    const paging = {
      page: 0,
      page_size: 50,
      start: 0,
      end: messages.length,
      next_page_uri: null,
      previous_page_uri: null,
    };
    return json(200, { messages, ...paging, uri: request.url, first_page_uri: request.url });
  }

  /// [code, message] of what is wrong, or null.
  #problemWith({ To, From, MessagingServiceSid, Body }) {
    if (!To) return [21604, "A 'To' phone number is required."];
    if (!From && !MessagingServiceSid) return [21603, "A 'From' phone number is required."];
    if (!Body) return [21602, 'Message body is required.'];
    if (Body.length > kLongestBody)
      return [21617, `The concatenated message body exceeds the ${kLongestBody} character limit.`];
    if (!isNumber(To)) return [21211, `Invalid 'To' Phone Number: ${To}`];
    if (this.#unsubscribed.has(To)) return [21610, 'Attempt to send to unsubscribed recipient'];
    if (kRefusedTo.has(To)) return refusal(kRefusedTo, To);
    if (this.account.trial && !this.account.verified.includes(To)) return unverified(To);
    return From ? this.#problemWithSender(From, To) : this.#problemWithService(MessagingServiceSid);
  }

  #problemWithSender(from, to) {
    if (kRefusedFrom.has(from)) return refusal(kRefusedFrom, from);
    if (from === to) return [21266, "'To' and 'From' number cannot be the same."];
    if (!isNumber(from)) return isName(from) ? null : [21212, `Invalid From Number (caller ID): ${from}`];
    if (this.account.numbers.includes(from)) return null;
    return [21659, `'From' ${from} is not a Twilio phone number or Short Code country mismatch`];
  }

  #problemWithService(sid) {
    return this.account.messagingServices.includes(sid)
      ? null
      : [21705, `The Messaging Service Sid ${sid} is invalid.`];
  }
}

/// An identifier as Twilio makes them: two letters and 32 hexadecimal digits.
export function newSid(prefix) {
  return prefix + randomBytes(16).toString('hex');
}

function plainNumber(text) {
  return text?.replace(/[\s().-]/g, '');
}

function isNumber(text) {
  return /^\+[1-9]\d{6,14}$/.test(text);
}

/// An alphanumeric sender: up to 11 letters, digits and spaces, at least one letter.
function isName(text) {
  return /^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/.test(text);
}

function unverified(number) {
  return [
    21608,
    `The number ${number} is unverified. Trial accounts cannot send messages to unverified numbers.`,
  ];
}

function refusal(table, number) {
  const [code, message] = table.get(number);
  return [code, message(number)];
}

function resourceOf(accountSid, { To, From, MessagingServiceSid, Body }, direction) {
  const sid = newSid('SM');
  const created = new Date().toUTCString().replace('GMT', '+0000');
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  return {
    sid,
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: Body,
    direction,
    status: MessagingServiceSid ? 'accepted' : 'queued',
    to: To,
    from: From ?? null,
    messaging_service_sid: MessagingServiceSid ?? null,
    num_segments: String(segmentsOf(Body)),
    num_media: '0',
    price: null,
    price_unit: null,
    error_code: null,
    error_message: null,
    date_created: created,
    date_updated: created,
    date_sent: null,
    uri: `${uri}.json`,
    subresource_uris: { media: `${uri}/Media.json` },
  };
}
