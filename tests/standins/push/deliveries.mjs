// Messages on their way to a browser, which is always there: taken, read, and written down.

import { randomBytes } from 'node:crypto';

import { empty } from '../lib/http.mjs';
import { Journal } from '../lib/journal.mjs';
import { refusal, whyNot } from './rules.mjs';

export class Deliveries {
  #arrived = new Journal();

  constructor(browsers) {
    this.browsers = browsers;
  }

  /// Answers `POST /push/ID`: 201, 404 for one that never was, 410 for one that is over, or why not.
  answer(request) {
    const [, id] = /^\/push\/([\w-]+)$/.exec(request.path) ?? [];
    const subscription = this.browsers.find(id);
    if (!subscription) return refusal(404, 'there is no such subscription');
    if (request.method !== 'POST') return refusal(405, 'messages are posted');
    if (subscription.ended) return refusal(410, 'the subscription is over');
    const refused = whyNot(request, subscription.applicationServerKey);
    if (refused) return refused;
    this.#arrived.add({ subscription: id, ...this.#read(subscription, request) });
    return empty(201, { Location: `${request.origin}/m/${randomBytes(9).toString('base64url')}` });
  }

  messages(query) {
    const id = query.get('subscription');
    const wanted = ({ subscription }) => !id || subscription === id;
    return this.#arrived.wait(Number(query.get('wait') ?? 0), Number(query.get('after') ?? 0), wanted);
  }

  /// What the browser makes of it: the service cannot tell, so that it took the message all the same.
  #read(subscription, { headers, bytes }) {
    const { ttl, urgency = 'normal', topic = null } = headers;
    const told = { ttl: Number(ttl), urgency, topic };
    try {
      return { ...told, text: this.browsers.decrypt(subscription, bytes) };
    } catch (error) {
      return { ...told, error: error.message };
    }
  }
}
