// What the gateway says and hears: docs/protocol-v2.md, "People: sign in, see, decide".

export type State =
  | 'pending'
  | 'approved'
  | 'released'
  | 'acknowledged'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'superseded';
export type Decision = 'approve' | 'deny';
/// Where a host's key is.
export type KeyPlace = 'file' | 'tpm';
export type Role = 'owner' | 'approver';

export interface Session {
  approver: { id: string; name: string; role: Role };
  gateway: string;
  /// By a code one sees and decides requests of some groups, each with a further code, and does nothing else.
  by?: 'passkey' | 'totp';
  expires_at: string;
}

/// A request as approvers see it. The members of `evidence` come from the host, which may have put anything there.
export interface Card {
  id: string;
  hash: string;
  state: State;
  created_at: string;
  expires_at: string;
  decided_by: string | null;
  reason: string | null;
  address: string;
  address_name: string | null;
  host: { id: string; name: string; group: string; key?: KeyPlace } | null;
  volumes: string[];
  number: string | null;
  evidence: Record<string, unknown> | null;
  compared: {
    first_from_address: boolean;
    kernel_changed: boolean;
    last_release: string | null;
    replaces_other_boot: boolean;
  } | null;
  /// What is asked for is no share but an approval of the next boot, good for so many seconds.
  next_boot: number | null;
  /// The share is wanted to see whether a boot would succeed, and nothing is opened.
  drill?: boolean;
  new_keys?: boolean;
}

/// An approval of a host's next boot that can be used still.
export interface NextBoot {
  by: string;
  approved_at: string;
  until: string;
}

export interface Host {
  id: string;
  name: string;
  group: string;
  key?: KeyPlace;
  enrolled_at: string;
  last_seen: string | null;
  last_address: string | null;
  revoked_at: string | null;
  next_boot: NextBoot | null;
  heartbeat?: Heartbeat | null;
}

/// What a host's drift guard said last.
export interface Heartbeat {
  at: string;
  version: string;
  generation: number;
  count: number;
  findings: string[];
  overdue: boolean;
}

export interface Passkey {
  id: string;
  label: string;
  created_at: string;
  last_used: string | null;
  backed_up: boolean;
}

/// How many codes on paper are left; `made_at` is null where there are none.
export interface Recovery {
  left: number;
  made_at: string | null;
}

/// One's authenticator app: `begun` until its first code was given. The groups are those whose hosts codes decide.
export interface Totp {
  groups: string[];
  state: 'none' | 'begun' | 'active';
  made_at: string | null;
  locked_until: string | null;
}

/// What an app takes: shown once. `path` draws the dark modules in a square of `size` units.
export interface NewTotp {
  secret: string;
  uri: string;
  qr: { size: number; path: string };
}

/// A browser that is told when a host asks.
export interface Subscription {
  id: string;
  hash: string;
  label: string;
  service: string;
  created_at: string;
  last_told: string | null;
  failure: string | null;
}

export interface Approver {
  id: string;
  name: string;
  role: Role;
  created_at: string;
  passkeys: number;
  last_used: string | null;
}

export interface Invite {
  url: string;
  expires_at: string;
}

/// One that nobody has used yet.
export interface OpenInvite {
  id: string;
  kind: 'host' | 'approver';
  name: string;
  /// Of a host.
  group?: string;
  /// Of an approver.
  role?: Role;
  created_at: string;
  expires_at: string;
}

export interface CardList {
  requests: Card[];
  /// There are others: older ones in the history, later ones among those that are open.
  more: boolean;
  /// Ids of requests that cannot be shown.
  damaged?: string[];
}

export interface RegistrationChallenge {
  challenge: string;
  rp: { id: string; name: string };
  user: { id: string; name: string };
  exclude: string[];
}

export interface AssertionChallenge {
  challenge: string;
  rp: { id: string };
  allow?: string[];
}

export interface Attestation {
  id: string;
  attestationObject: string;
  clientDataJSON: string;
}

export interface Assertion {
  id: string;
  authenticatorData: string;
  clientDataJSON: string;
  signature: string;
  userHandle: string | null;
}
