// Codes of authenticator apps for the fake gateway: RFC 6238 for real, each once; and the app itself.

import { createHmac, randomBytes } from 'node:crypto';

const kAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const kStep = 30_000;
const kGroups = ['home'];

/// The code of a step, for a secret in base32.
export function codeOf(secret, step) {
  const bits = [...secret].map((letter) => kAlphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/// An app that was given a secret. Its codes are each another one, so it may be ahead of its clock by a step.
export class App {
  #last = 0;

  constructor(secret) {
    this.secret = secret.replaceAll(' ', '');
  }

  /// The next code that is taken; near the end of a step only after it, as typing takes a moment.
  async code() {
    const left = kStep - (Date.now() % kStep);
    if (left < 2000) await new Promise((resolve) => setTimeout(resolve, left));
    this.#last = Math.max(this.#last + 1, Math.floor(Date.now() / kStep) - 1);
    return codeOf(this.secret, this.#last);
  }
}

export class FakeTotp {
  #apps = new Map();

  decides(request) {
    return kGroups.includes(request.host?.group);
  }

  stateOf(id) {
    const app = this.#apps.get(id);
    const state = !app ? 'none' : app.active ? 'active' : 'begun';
    return { groups: kGroups, state, made_at: app?.made_at ?? null, locked_until: null };
  }

  setUp({ id, name }) {
    const secret = [...randomBytes(32)].map((byte) => kAlphabet[byte % 32]).join('');
    this.#apps.set(id, { secret, active: false, last: 0, made_at: new Date().toISOString() });
    const uri = `otpauth://totp/zfs-keyvault:${encodeURIComponent(name)}?secret=${secret}&issuer=zfs-keyvault`;
    // Squares as at a QR code's corners, which say nothing: the page only draws what it is given.
    return { secret, uri, qr: { size: 21, path: 'M0 0h7v7h-7zM14 0h7v7h-7zM0 14h7v7h-7z' } };
  }

  remove(id) {
    this.#apps.delete(id);
  }

  /// Whether it is right and was not used; then it is used.
  use(id, code, isFirst) {
    const app = this.#apps.get(id);
    if (!app || app.active === isFirst) return false;
    const now = Math.floor(Date.now() / kStep);
    const step = [now - 1, now, now + 1].find((one) => one > app.last && codeOf(app.secret, one) === code);
    if (step === undefined) return false;
    Object.assign(app, { last: step, active: true });
    return true;
  }
}
