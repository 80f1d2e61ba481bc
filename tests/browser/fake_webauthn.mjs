// Verifies what a passkey made, as WebAuthn Level 3 §7.1 and §7.2 ask: enough of it that a test which passes here means something.

import { createHash, createPublicKey, verify } from 'node:crypto';

const kUserPresent = 0x01;
const kUserVerified = 0x04;
const kBackedUp = 0x10;
const kHasCredential = 0x40;

/// The new credential of a registration: { id, key, counter, backedUp }. Throws Error with the reason.
export function verifyRegistration(credential, expected) {
  checkClientData(bytes(credential.clientDataJSON), 'webauthn.create', expected);
  const attestation = decodeCbor(bytes(credential.attestationObject)).value;
  const data = readAuthenticatorData(attestation.get('authData'), expected);
  if (!data.credentialId) throw new Error('no credential in the authenticator data');
  if (data.credentialId.toString('base64url') !== credential.id) throw new Error('another credential id');
  return {
    id: credential.id,
    key: publicKeyOf(data.cose),
    counter: data.counter,
    backedUp: data.backedUp,
  };
}

/// Checks an assertion against a credential as `verifyRegistration` gave it, and moves its counter on.
export function verifyAssertion(credential, known, expected) {
  const clientData = bytes(credential.clientDataJSON);
  const authenticatorData = bytes(credential.authenticatorData);
  checkClientData(clientData, 'webauthn.get', expected);
  const data = readAuthenticatorData(authenticatorData, expected);
  const signed = Buffer.concat([authenticatorData, sha256(clientData)]);
  const hash = known.key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!verify(hash, signed, known.key, bytes(credential.signature)))
    throw new Error('the signature is wrong');
  if ((data.counter || known.counter) && data.counter <= known.counter)
    throw new Error('the counter did not grow');
  known.counter = data.counter;
}

/// The challenge a credential was made for, before anything about it is known to be true.
export function claimedChallenge(credential) {
  return JSON.parse(bytes(credential.clientDataJSON)).challenge;
}

function checkClientData(data, type, { challenge, origin }) {
  const told = JSON.parse(data);
  if (told.type !== type) throw new Error(`type ${told.type}`);
  if (told.challenge !== challenge) throw new Error('another challenge');
  if (told.origin !== origin) throw new Error(`origin ${told.origin}`);
  if (told.crossOrigin) throw new Error('from within a frame of another origin');
}

function readAuthenticatorData(data, { rpId }) {
  if (!data.subarray(0, 32).equals(sha256(rpId))) throw new Error('another RP id');
  const flags = data[32];
  if (!(flags & kUserPresent) || !(flags & kUserVerified)) throw new Error('the person was not verified');
  const read = { counter: data.readUInt32BE(33), backedUp: Boolean(flags & kBackedUp) };
  if (!(flags & kHasCredential)) return read;
  const length = data.readUInt16BE(53);
  read.credentialId = data.subarray(55, 55 + length);
  read.cose = decodeCbor(data.subarray(55 + length)).value;
  return read;
}

function publicKeyOf(cose) {
  const text = (label) => cose.get(label).toString('base64url');
  const jwk = {
    1: () => ({ kty: 'OKP', crv: 'Ed25519', x: text(-2) }),
    2: () => ({ kty: 'EC', crv: 'P-256', x: text(-2), y: text(-3) }),
    3: () => ({ kty: 'RSA', n: text(-1), e: text(-2) }),
  }[cose.get(1)]();
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/// The first CBOR item (RFC 8949) of `data`, and where it ends; of the kinds that WebAuthn uses.
function decodeCbor(data, at = 0) {
  const major = data[at] >> 5;
  const { value: count, end } = readArgument(data, at);
  if (major === 0) return { value: count, end };
  if (major === 1) return { value: -1 - count, end };
  if (major === 2) return { value: data.subarray(end, end + count), end: end + count };
  if (major === 3) return { value: data.toString('utf8', end, end + count), end: end + count };
  if (major === 4 || major === 5) return decodeItems(data, end, count, major === 5);
  throw new Error(`CBOR of kind ${major}`);
}

function decodeItems(data, start, count, isMap) {
  const items = [];
  let at = start;
  for (let index = 0; index < (isMap ? 2 * count : count); index++) {
    const item = decodeCbor(data, at);
    items.push(item.value);
    at = item.end;
  }
  if (!isMap) return { value: items, end: at };
  const pairs = items.flatMap((item, index) => (index % 2 ? [] : [[item, items[index + 1]]]));
  return { value: new Map(pairs), end: at };
}

function readArgument(data, at) {
  const short = data[at] & 0x1f;
  if (short < 24) return { value: short, end: at + 1 };
  const size = { 24: 1, 25: 2, 26: 4 }[short];
  if (!size) throw new Error('CBOR of a length that is not used here');
  return { value: data.readUIntBE(at + 1, size), end: at + 1 + size };
}

function bytes(text) {
  return Buffer.from(text, 'base64url');
}

function sha256(data) {
  return createHash('sha256').update(data).digest();
}
