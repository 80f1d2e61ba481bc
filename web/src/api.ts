// The calls of the gateway, one function each. A call either gives what it promises or throws a `Problem` (the gateway
// said no, and why) or `Unreachable` (nothing came back).

import type {
  Approver,
  Assertion,
  AssertionChallenge,
  Attestation,
  Card,
  CardList,
  Decision,
  Host,
  Invite,
  NewTotp,
  NextBoot,
  OpenInvite,
  Passkey,
  Recovery,
  RegistrationChallenge,
  Role,
  Session,
  Subscription,
  Totp,
} from './protocol';

/// The gateway's refusal: an RFC 9457 document.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/// No answer: no network, or no gateway behind it.
export class Unreachable extends Error {
  constructor() {
    super('The gateway cannot be reached. Check the connection and try again.');
  }
}

const kPatience = 20_000;
let behind = 0;
let signedOut = (): void => undefined;

/// The gateway's time in milliseconds: what counts down must not depend on the phone's clock.
export function now(): number {
  return Date.now() + behind;
}

/// Has `tell` called whenever a call finds that the session has ended.
export function onSignedOut(tell: () => void): void {
  signedOut = tell;
}

export const api = {
  session: () => call<Session>('GET', '/v2/session'),
  signInChallenge: () => call<AssertionChallenge>('POST', '/v2/session/challenge', {}),
  signIn: (credential: Assertion) => call<Session>('POST', '/v2/session', { credential }),
  ways: () => call<{ totp: boolean }>('GET', '/v2/session/ways'),
  signInByCode: (name: string, code: string) => call<Session>('POST', '/v2/session/totp', { name, code }),
  signOut: () => call<undefined>('DELETE', '/v2/session'),

  registrationChallenge: (invite: string) =>
    call<RegistrationChallenge>('POST', '/v2/registrations/challenge', { invite }),
  register: (invite: string, label: string, credential: Attestation) =>
    call<Session>('POST', '/v2/registrations', { invite, label, credential }),

  openRequests: () => call<CardList>('GET', '/v2/requests'),
  /// The newest of all, open or ended; or those that are older than the request `before`.
  history: (before?: string) =>
    call<CardList>('GET', `/v2/requests?all=1${before ? `&before=${encodeURIComponent(before)}` : ''}`),
  /// Null: the gateway does not know it.
  card: async (id: string): Promise<Card | null> => {
    try {
      return await call<Card>('GET', `/v2/requests/${encodeURIComponent(id)}/card`);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },
  decisionChallenge: (id: string, decision: Decision) =>
    call<AssertionChallenge>('POST', `/v2/requests/${encodeURIComponent(id)}/challenge`, { decision }),
  decide: (id: string, decision: Decision, reason: string, credential: Assertion) =>
    call<Card>('POST', `/v2/requests/${encodeURIComponent(id)}/decision`, { decision, reason, credential }),

  decideByCode: (id: string, decision: Decision, reason: string, code: string) =>
    call<Card>('POST', `/v2/requests/${encodeURIComponent(id)}/decision`, { decision, reason, code }),

  hosts: async () => (await call<{ hosts: Host[] }>('GET', '/v2/hosts')).hosts,
  revokeHost: (id: string, confirmation: Assertion) =>
    call<undefined>('POST', `/v2/hosts/${encodeURIComponent(id)}/revocation`, { confirmation }),

  approveNextBoot: (id: string, seconds: number, confirmation: Assertion) =>
    call<NextBoot>('POST', `/v2/hosts/${encodeURIComponent(id)}/next-boot`, { seconds, confirmation }),
  takeBackNextBoot: (id: string) =>
    call<undefined>('DELETE', `/v2/hosts/${encodeURIComponent(id)}/next-boot`),

  passkeys: async () => (await call<{ passkeys: Passkey[] }>('GET', '/v2/passkeys')).passkeys,
  passkeyChallenge: () => call<RegistrationChallenge>('POST', '/v2/passkeys/challenge', {}),
  addPasskey: (label: string, credential: Attestation, confirmation: Assertion) =>
    call<Passkey>('POST', '/v2/passkeys', { label, credential, confirmation }),
  renamePasskey: (id: string, label: string) =>
    call<Passkey>('PATCH', `/v2/passkeys/${encodeURIComponent(id)}`, { label }),
  deletePasskey: (id: string, confirmation: Assertion) =>
    call<undefined>('POST', `/v2/passkeys/${encodeURIComponent(id)}/removal`, { confirmation }),

  recovery: () => call<Recovery>('GET', '/v2/recovery-codes'),
  makeRecoveryCodes: async (confirmation: Assertion) =>
    (await call<{ codes: string[] }>('POST', '/v2/recovery-codes', { confirmation })).codes,
  recoveryChallenge: (code: string) =>
    call<RegistrationChallenge>('POST', '/v2/recoveries/challenge', { code }),
  recover: (code: string, label: string, credential: Attestation) =>
    call<Session>('POST', '/v2/recoveries', { code, label, credential }),

  totp: () => call<Totp>('GET', '/v2/totp'),
  setUpTotp: (confirmation: Assertion) => call<NewTotp>('POST', '/v2/totp', { confirmation }),
  firstCode: (code: string) => call<Totp>('POST', '/v2/totp/first-code', { code }),
  removeTotp: (confirmation: Assertion) => call<undefined>('POST', '/v2/totp/removal', { confirmation }),

  pushKey: async () => (await call<{ key: string }>('GET', '/v2/push/key')).key,
  subscriptions: async () =>
    (await call<{ subscriptions: Subscription[] }>('GET', '/v2/push/subscriptions')).subscriptions,
  subscribe: (browser: { endpoint: string; p256dh: string; auth: string }, label: string) =>
    call<Subscription>('POST', '/v2/push/subscriptions', { ...browser, label }),
  unsubscribe: (id: string) => call<undefined>('DELETE', `/v2/push/subscriptions/${encodeURIComponent(id)}`),
  testPush: () => call<{ devices: number }>('POST', '/v2/push/test', {}),

  approvers: async () => (await call<{ approvers: Approver[] }>('GET', '/v2/approvers')).approvers,
  invite: (name: string, role: Role, confirmation: Assertion) =>
    call<Invite>('POST', '/v2/approvers/invites', { name, role, confirmation }),
  openInvites: async () => (await call<{ invites: OpenInvite[] }>('GET', '/v2/invites')).invites,
  withdrawInvite: (id: string) => call<undefined>('DELETE', `/v2/invites/${encodeURIComponent(id)}`),
  revokeApprover: (id: string, confirmation: Assertion) =>
    call<undefined>('POST', `/v2/approvers/${encodeURIComponent(id)}/revocation`, { confirmation }),

  confirmationChallenge: (act: string, about: string[]) =>
    call<AssertionChallenge>('POST', '/v2/confirmations', { act, about }),
};

async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await send(method, path, body);
  noteTime(response);
  if (!response.ok) {
    if (response.status === 401) signedOut();
    throw new Problem(response.status, await detailOf(response));
  }
  if (response.status === 204) return undefined as Answer;
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new Unreachable();
  }
}

async function send(method: string, path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      signal: AbortSignal.timeout(kPatience),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  } catch {
    throw new Unreachable();
  }
}

function noteTime(response: Response): void {
  const told = Date.parse(response.headers.get('Date') ?? '');
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  behind = Math.abs(difference) > 2000 ? difference : 0;
}

async function detailOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: unknown; title?: unknown };
    for (const words of [problem.detail, problem.title]) if (typeof words === 'string' && words) return words;
  } catch {
    // What stands between may answer in its own way; then the number is all there is.
  }
  return `The gateway answered ${response.status} without saying why.`;
}
