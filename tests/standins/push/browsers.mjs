// Browsers: each subscription has keys of its own, and reads what is sent to it with the package that the official
// client is built on.

import { createECDH, randomBytes } from 'node:crypto';

import ece from 'http_ece';

export class Browsers {
  #subscriptions = new Map();

  /// A new subscription, which takes messages of `applicationServerKey` alone, where one is given. What a page would
  /// give to its server: { id, path, p256dh, auth }.
  subscribe(applicationServerKey = null) {
    const id = randomBytes(16).toString('base64url');
    const ecdh = createECDH('prime256v1');
    const p256dh = ecdh.generateKeys('base64url');
    const auth = randomBytes(16).toString('base64url');
    this.#subscriptions.set(id, { id, ecdh, auth, applicationServerKey, ended: false });
    return { id, path: `/push/${id}`, p256dh, auth };
  }

  find(id) {
    return this.#subscriptions.get(id);
  }

  /// From now on the service says that it is gone.
  end(id) {
    const subscription = this.find(id);
    if (!subscription) throw new Error(`no such subscription: '${id}'`);
    subscription.ended = true;
  }

  /// Throws where the message was not encrypted to this browser as RFC 8291 says.
  decrypt({ ecdh, auth }, bytes) {
    return ece.decrypt(bytes, { version: 'aes128gcm', privateKey: ecdh, authSecret: auth }).toString('utf8');
  }
}
