// Web Push before the played gateway: who is to be told, and what they would be sent. Nothing is encrypted here and nothing leaves.

import { createECDH, createHash, randomBytes } from 'node:crypto';

export class FakePush {
  #key = createECDH('prime256v1').generateKeys('base64url');
  #subscriptions = new Map();

  /// What a browser would give for `applicationServerKey`; throws for another key than the gateway's.
  subscribe(applicationServerKey) {
    if (applicationServerKey !== this.#key) throw new Error('this is not the key of the gateway');
    return {
      endpoint: `https://push.example/${randomBytes(16).toString('base64url')}`,
      p256dh: createECDH('prime256v1').generateKeys('base64url'),
      auth: randomBytes(16).toString('base64url'),
    };
  }

  /// The text that would reach a browser when `request` is asked; null where it is not subscribed.
  messageTo({ endpoint }, { id, host, expires_at }) {
    if (![...this.#subscriptions.values()].some((one) => one.endpoint === endpoint)) return null;
    return JSON.stringify({ request: id, host: host.name, gateway: 'gateway.example', expires: expires_at });
  }

  /// The answer to a call of /v2/push/: [status, body].
  answer(method, what, id, body, me) {
    const own = [...this.#subscriptions.values()].filter((one) => one.approver === me.id);
    switch (`${method} ${what}`) {
      case 'GET key':
        return [200, { key: this.#key }];
      case 'GET subscriptions':
        return [200, { subscriptions: own.map(shown) }];
      case 'POST subscriptions':
        return [201, shown(this.#take(body, own, me))];
      case 'DELETE subscriptions':
        return own.some((one) => one.id === id) && this.#subscriptions.delete(id) ? [204] : [404];
      case 'POST test':
        return own.length > 0 ? [202, { devices: own.length }] : [404];
      default:
        return [404];
    }
  }

  #take({ endpoint, p256dh, auth, label }, own, me) {
    if (Buffer.from(p256dh, 'base64url').length !== 65 || Buffer.from(auth, 'base64url').length !== 16)
      throw new Error('these are no keys');
    const id = own.find((one) => one.endpoint === endpoint)?.id ?? randomBytes(16).toString('base64url');
    const created_at = new Date().toISOString();
    this.#subscriptions.set(id, { id, approver: me.id, endpoint, label, created_at });
    return this.#subscriptions.get(id);
  }
}

function shown({ id, endpoint, label, created_at }) {
  const hash = createHash('sha256').update(endpoint).digest('hex');
  const service = new URL(endpoint).hostname;
  return { id, hash, label, service, created_at, last_told: null, failure: null };
}
