// What a card says about a request: which words, in which order, and what deserves a second look. Pure.

import type { Card, State } from './protocol';
import { ago, duration, parseTime } from './time';

/// `calm`: as ever; `look`: unusual, and to be looked at before approving.
export type Tone = 'calm' | 'look';

/// One line of evidence. `value` comes from outside and is cleaned where it is shown; `remark` is ours.
export interface Fact {
  label: string;
  value: string;
  machine: boolean;
  remark: string | null;
  tone: Tone;
}

export interface CardModel {
  id: string;
  name: string;
  group: string | null;
  state: State;
  open: boolean;
  number: string | null;
  volumes: string[];
  /// For how long the next boot is to be approved, in words; null where a share is asked for.
  nextBoot: string | null;
  drill: boolean;
  /// An approval lets the host enrol anew and take its own place.
  newKeys: boolean;
  /// What the gateway saw itself.
  seen: Fact[];
  /// What the host says of itself, which nobody checked.
  said: Fact[];
  /// The unusual, in few words; empty when there is none.
  looks: string[];
  created: number | null;
  expires: number | null;
}

const kJustBooted = 30 * 60;

/// What to show for `card` at the time `now`.
export function modelOf(card: Card, now: number): CardModel {
  const seen = seenBy(card, now);
  const said = saidBy(card);
  const expires = parseTime(card.expires_at);
  const overdue = card.state === 'pending' && expires !== null && expires <= now;
  const state = overdue ? 'expired' : card.state;
  return {
    id: card.id,
    name: nameOf(card),
    group: card.host?.group ? textOf(card.host.group) : null,
    state,
    open: state === 'pending',
    number: card.number === null ? null : textOf(card.number),
    volumes: (card.volumes as unknown[]).map(textOf),
    nextBoot: typeof card.next_boot === 'number' ? duration(card.next_boot * 1000) : null,
    drill: card.drill === true,
    newKeys: card.new_keys === true,
    seen,
    said,
    looks: [
      ...(card.host ? [] : ['Only its address is known']),
      ...[...seen, ...said].flatMap((fact) => (fact.tone === 'look' && fact.remark ? [fact.remark] : [])),
    ],
    created: parseTime(card.created_at),
    expires,
  };
}

/// Whom the request is from, in words.
export function nameOf(card: Card): string {
  return card.host ? textOf(card.host.name) : `Host at ${textOf(card.address)}`;
}

/// Whether nothing more can happen to it.
export function hasEnded(state: State): boolean {
  return !['pending', 'approved', 'released'].includes(state);
}

/// What became of a request, in a word and in a sentence.
export function outcomeOf(
  card: Pick<Card, 'state' | 'decided_by'> & Partial<Pick<Card, 'next_boot' | 'drill' | 'new_keys'>>,
): { word: string; sentence: string } {
  const by = card.decided_by ? ` by ${deciderOf(textOf(card.decided_by))}` : '';
  if (typeof card.next_boot === 'number') {
    const said = nextBootOutcome(card.state, by);
    if (said) return said;
  }
  if (card.drill === true) {
    const said = drillOutcome(card.state, by);
    if (said) return said;
  }
  if (card.new_keys === true) {
    const said = newKeysOutcome(card.state, by);
    if (said) return said;
  }
  switch (card.state) {
    case 'pending':
      return { word: 'Waiting', sentence: 'Waiting for a decision.' };
    case 'approved':
      return { word: 'Approved', sentence: `Approved${by}. The host is being given its share.` };
    case 'released':
      return { word: 'Released', sentence: `Approved${by}. The share is on its way to the host.` };
    case 'acknowledged':
      return { word: 'Unlocked', sentence: `Approved${by}, and the host has its share.` };
    case 'denied':
      return { word: 'Denied', sentence: `Denied${by}. The host stays locked.` };
    case 'expired':
      return {
        word: 'Expired',
        sentence: 'Nobody decided in time. The host stays locked, and may ask again.',
      };
    case 'cancelled':
      return { word: 'Cancelled', sentence: cancelledBy(card.decided_by) };
    case 'superseded':
      return { word: 'Replaced', sentence: 'The host has asked anew: decide the newer request.' };
  }
}

/// The same where no share is given but an approval of the next boot.
function nextBootOutcome(state: State, by: string): { word: string; sentence: string } | null {
  switch (state) {
    case 'approved':
    case 'released':
      return { word: 'Approved', sentence: `Next boot approved${by}. The host is being told.` };
    case 'acknowledged':
      return { word: 'Approved', sentence: `Next boot approved${by}, and the host knows it.` };
    case 'denied':
      return { word: 'Denied', sentence: `Denied${by}. The next boot asks as ever.` };
    case 'expired':
      return { word: 'Expired', sentence: 'Nobody decided in time. The next boot asks as ever.' };
    default:
      return null;
  }
}

/// The same of a drill, which opens nothing.
function drillOutcome(state: State, by: string): { word: string; sentence: string } | null {
  switch (state) {
    case 'acknowledged':
      return {
        word: 'Drilled',
        sentence: `Drill approved${by}, and the share opened the host’s repository.`,
      };
    case 'denied':
      return { word: 'Denied', sentence: `Drill denied${by}. Nothing changes at the host.` };
    case 'expired':
      return { word: 'Expired', sentence: 'Nobody decided the drill in time. Nothing changes at the host.' };
    default:
      return null;
  }
}

/// The same where the host wants new keys.
function newKeysOutcome(state: State, by: string): { word: string; sentence: string } | null {
  switch (state) {
    case 'acknowledged':
      return { word: 'Approved', sentence: `New keys approved${by}: the host may enrol anew.` };
    case 'denied':
      return { word: 'Denied', sentence: `New keys denied${by}. The host keeps those it has.` };
    case 'expired':
      return { word: 'Expired', sentence: 'Nobody decided in time. The host keeps the keys it has.' };
    default:
      return null;
  }
}

/// A host, the gateway, or somebody who revoked the host; of a client that went away nobody is named.
function cancelledBy(by: string | null): string {
  if (!by) return 'The host went away before anybody decided.';
  if (by.startsWith('host:')) return 'The host took its request back.';
  return by === 'gateway' ? 'The gateway ended it.' : `Ended by ${deciderOf(textOf(by))}.`;
}

const kDeciders: [prefix: string, words: (rest: string) => string][] = [
  ['planned:', (rest) => `${deciderOf(rest)}, beforehand`],
  ['totp:', (rest) => `${rest}, with a code`],
  ['console:', (rest) => `the gateway’s console (${rest})`],
  ['sms:', (rest) => `${rest}, by SMS`],
  ['host:', (rest) => `the host ${rest}`],
];

/// Who decided, in words: what stands before a colon says how, and no person's name has one.
export function deciderOf(by: string): string {
  if (by === 'gateway') return 'the gateway';
  const found = kDeciders.find(([prefix]) => by.startsWith(prefix));
  return found ? found[1](by.slice(found[0].length)) : by;
}

function addressOf(card: Card): unknown {
  return typeof card.address_name === 'string'
    ? `${textOf(card.address)}, ${card.address_name}`
    : card.address;
}

function seenBy(card: Card, now: number): Fact[] {
  const compared = card.compared;
  const facts = [
    compared
      ? fact(
          'Address',
          addressOf(card),
          true,
          ['First time from this address', 'known'],
          compared.first_from_address,
        )
      : fact('Address', addressOf(card), true),
  ];
  if (!compared) return facts;
  if (compared.replaces_other_boot)
    facts.push({
      label: 'Took the place of',
      value: 'an open request from another boot',
      machine: false,
      remark: 'Two machines may be asking',
      tone: 'look',
    });
  const last = parseTime(compared.last_release);
  facts.push(
    last === null
      ? { label: 'Last release', value: 'never', machine: false, remark: 'Its first release', tone: 'look' }
      : fact('Last release', ago(last, now), false),
  );
  return facts;
}

function saidBy(card: Card): Fact[] {
  const evidence = card.evidence;
  if (!evidence) return [];
  // Who asks beforehand, for a drill or for new keys, runs still, and plans it by asking.
  const runsStill = typeof card.next_boot === 'number' || card.drill === true || card.new_keys === true;
  const facts: Fact[] = [];
  if (isPresent(evidence.kernel)) {
    const changed = card.compared?.kernel_changed ?? false;
    const knowsAnother = changed || Boolean(card.compared?.last_release);
    const remarks: [string, string] = ['Kernel changed', 'unchanged'];
    facts.push(fact('Kernel', evidence.kernel, true, knowsAnother ? remarks : undefined, changed));
  }
  if (typeof evidence.planned === 'boolean' && !runsStill) {
    const planned = evidence.planned;
    facts.push({
      label: 'Restart',
      value: planned ? 'planned' : 'not planned',
      machine: false,
      remark: planned ? null : 'Not planned',
      tone: planned ? 'calm' : 'look',
    });
  }
  if (evidence.tpm === true)
    facts.push(
      fact('Key', 'held in its TPM', false, ['Enrolled with a key in a file'], card.host?.key === 'file'),
    );
  const uptime = evidence.uptime;
  if (typeof uptime === 'number' && uptime >= 0 && Number.isFinite(uptime))
    facts.push(
      fact(
        'Running for',
        duration(uptime * 1000),
        false,
        ['It did not just boot'],
        uptime > kJustBooted && !runsStill,
      ),
    );
  else if (isPresent(uptime)) facts.push(fact('Running for', uptime, true));
  const named = evidence.hostname;
  if (isPresent(named) && named !== card.host?.name)
    facts.push(fact('Calls itself', named, true, ['Another name than enrolled'], true));
  const addresses = evidence.addresses;
  if (
    Array.isArray(addresses) &&
    addresses.length > 0 &&
    !(addresses.length === 1 && addresses[0] === card.address)
  )
    facts.push(fact('Its addresses', (addresses as unknown[]).map(textOf).join(', '), true));
  return facts;
}

/// A fact with a remark for the unusual case, and perhaps one for the usual.
function fact(
  label: string,
  value: unknown,
  machine: boolean,
  remarks?: [unusual: string, usual?: string],
  unusual = false,
): Fact {
  const remark = (unusual ? remarks?.[0] : remarks?.[1]) ?? null;
  return { label, value: textOf(value), machine, remark, tone: unusual && remark ? 'look' : 'calm' };
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
