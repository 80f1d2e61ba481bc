// Asks the person's passkey: to make one, to sign in, to decide. Translates between what the gateway and the browser speak.

import { decode, encode } from './base64url';
import type { Assertion, AssertionChallenge, Attestation, RegistrationChallenge } from './protocol';

const kTimeout = 120_000;
const kAlgorithms = [-8, -7, -257];

/// Why no passkey answered, in words. `calm`: the person closed the prompt, which is no error.
export class PasskeyFailure extends Error {
  constructor(
    message: string,
    readonly calm = false,
  ) {
    super(message);
  }
}

/// Makes a passkey on this device. Throws `PasskeyFailure`.
export async function create(from: RegistrationChallenge): Promise<Attestation> {
  const credential = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: decode(from.challenge),
        rp: from.rp,
        user: { id: decode(from.user.id), name: from.user.name, displayName: from.user.name },
        pubKeyCredParams: kAlgorithms.map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: from.exclude.map(descriptor),
        authenticatorSelection: {
          residentKey: 'required',
          requireResidentKey: true,
          userVerification: 'required',
        },
        attestation: 'none',
        timeout: kTimeout,
      },
    }),
  );
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    id: credential.id,
    attestationObject: encode(response.attestationObject),
    clientDataJSON: encode(response.clientDataJSON),
  };
}

/// Has a passkey sign the challenge. Throws `PasskeyFailure`; calmly when `signal` ends it.
export async function sign(from: AssertionChallenge, signal?: AbortSignal): Promise<Assertion> {
  const credential = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: decode(from.challenge),
        rpId: from.rp.id,
        allowCredentials: (from.allow ?? []).map(descriptor),
        userVerification: 'required',
        timeout: kTimeout,
      },
      ...(signal ? { signal } : {}),
    }),
  );
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    id: credential.id,
    authenticatorData: encode(response.authenticatorData),
    clientDataJSON: encode(response.clientDataJSON),
    signature: encode(response.signature),
    userHandle: response.userHandle ? encode(response.userHandle) : null,
  };
}

/// What this device is likely called by its owner.
export function deviceName(agent: string): string {
  const names: [RegExp, string][] = [
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android phone'],
    [/Windows/, 'Windows computer'],
    [/Macintosh/, 'Mac'],
    [/Linux|CrOS/, 'Linux computer'],
  ];
  return names.find(([pattern]) => pattern.test(agent))?.[1] ?? 'This device';
}

async function ask(prompt: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!('PublicKeyCredential' in window))
    throw new PasskeyFailure(
      'This browser has no passkeys here. Open the page over https in a recent browser.',
    );
  try {
    const credential = await prompt();
    if (credential) return credential as PublicKeyCredential;
  } catch (error) {
    throw inWords(error);
  }
  throw new PasskeyFailure('The browser gave no passkey. Try again.');
}

function inWords(error: unknown): PasskeyFailure {
  const name = error instanceof Error ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'AbortError':
      return new PasskeyFailure('The passkey was not used: the prompt was closed or timed out.', true);
    case 'InvalidStateError':
      return new PasskeyFailure('This device already holds a passkey for you. Sign in with it.');
    case 'SecurityError':
      return new PasskeyFailure(
        'This is not the address that the passkey belongs to. Open the gateway’s own.',
      );
    case 'SyntaxError':
      return new PasskeyFailure('The gateway sent a challenge that cannot be read. Try again.');
    default:
      return new PasskeyFailure('This device could not use a passkey. Try again, or use another device.');
  }
}

function descriptor(id: string): PublicKeyCredentialDescriptor {
  return { type: 'public-key', id: decode(id) };
}
