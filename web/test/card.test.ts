import { expect, test } from 'vitest';

import { deciderOf, hasEnded, modelOf, outcomeOf } from '../src/card';
import type { Card } from '../src/protocol';
import { cardOf } from './world';

const now = Date.UTC(2026, 10, 25, 12, 0);
const modelWith = (changes: Partial<Card>) => modelOf(cardOf(changes), now);
const factsOf = (card: Card) => {
  const model = modelOf(card, now);
  return Object.fromEntries([...model.seen, ...model.said].map((fact) => [fact.label, fact]));
};

test('a host that boots as ever has nothing unusual about it', () => {
  const model = modelWith({});
  expect(model).toMatchObject({ name: 'nas', group: 'home', open: true, number: '47', looks: [] });
  expect(model.said.map((fact) => [fact.label, fact.value])).toEqual([
    ['Kernel', '6.1.0-28-amd64'],
    ['Restart', 'planned'],
    ['Running for', '1 min 10 s'],
  ]);
});

test('who decided with a code, and who did so beforehand, is told', () => {
  const by = (decided_by: string) => outcomeOf({ state: 'approved', decided_by }).sentence;
  expect(by('totp:Anna')).toMatch(/^Approved by Anna, with a code\./);
  expect(by('planned:totp:Anna')).toMatch(/^Approved by Anna, with a code, beforehand\./);
  expect(by('planned:Anna')).toMatch(/^Approved by Anna, beforehand\./);
});

test('nobody is shown the names by which the log calls who decided', () => {
  const by = (decided_by: string) => outcomeOf({ state: 'denied', decided_by }).sentence;
  expect(by('console:uid 0')).toContain('by the gateway’s console (uid 0).');
  expect(by('sms:+15550100')).toContain('by +15550100, by SMS.');
  expect(by('gateway')).toContain('by the gateway.');
  expect(deciderOf('planned:totp:ANNA')).toBe('ANNA, with a code, beforehand');
  expect(deciderOf('host:nas')).toBe('the host nas');
});

test('who ended a request is told, and only a host took back its own', () => {
  const by = (decided_by: string | null) => outcomeOf({ state: 'cancelled', decided_by }).sentence;
  expect(by('host:nas')).toBe('The host took its request back.');
  expect(by('Anna')).toBe('Ended by Anna.');
  expect(by(null)).toBe('The host went away before anybody decided.');
});

test('a next boot gives no share, and its host runs still', () => {
  const { sentence } = outcomeOf({ state: 'acknowledged', decided_by: 'Anna', next_boot: 7200 });
  expect(sentence).toBe('Next boot approved by Anna, and the host knows it.');
  const model = modelWith({ next_boot: 7200, evidence: { planned: false, uptime: 900_000 } });
  expect(model.looks).toEqual([]);
  expect(model.said.map((fact) => fact.label)).toEqual(['Running for']);
});

test('a drill is said to be one, opens nothing, and its host runs still', () => {
  const model = modelWith({ drill: true, evidence: { planned: false, uptime: 900_000 } });
  expect(model.drill).toBe(true);
  expect(model.looks).toEqual([]);
  expect(modelWith({}).drill).toBe(false);
  const sentence = (state: Card['state']) => outcomeOf({ state, decided_by: 'Anna', drill: true }).sentence;
  expect(sentence('acknowledged')).toBe(
    'Drill approved by Anna, and the share opened the host’s repository.',
  );
  expect(sentence('denied')).toContain('Nothing changes');
  expect(sentence('expired')).toContain('Nothing changes');
  expect(sentence('released')).toContain('The share is on its way');
});

test('new keys are said to be wanted, and their host runs still', () => {
  const model = modelWith({ new_keys: true, evidence: { planned: false, uptime: 900_000 } });
  expect(model.newKeys).toBe(true);
  expect(model.looks).toEqual([]);
  expect(modelWith({}).newKeys).toBe(false);
  const sentence = (state: Card['state']) =>
    outcomeOf({ state, decided_by: 'Anna', new_keys: true }).sentence;
  expect(sentence('acknowledged')).toBe('New keys approved by Anna: the host may enrol anew.');
  expect(sentence('denied')).toContain('keeps those it has');
  expect(sentence('expired')).toContain('keeps the keys it has');
  expect(sentence('released')).toContain('The share is on its way');
});

test('a kernel is unchanged only where another was known', () => {
  const compared = { ...cardOf({}).compared, last_release: null } as Card['compared'];
  expect(factsOf(cardOf({ compared })).Kernel?.remark).toBeNull();
  expect(factsOf(cardOf({})).Kernel?.remark).toBe('unchanged');
});

test('each unusual thing is named once', () => {
  const model = modelWith({
    compared: {
      first_from_address: true,
      kernel_changed: true,
      last_release: null,
      replaces_other_boot: false,
    },
    evidence: { kernel: '6.9', planned: false, uptime: 90_000, hostname: 'other' },
  });
  expect(model.looks).toEqual([
    'First time from this address',
    'Its first release',
    'Kernel changed',
    'Not planned',
    'It did not just boot',
    'Another name than enrolled',
  ]);
});

test('a request that took the place of one from another boot is to be looked at', () => {
  const compared = { ...cardOf({}).compared, replaces_other_boot: true } as Card['compared'];
  expect(modelWith({ compared }).looks).toContain('Two machines may be asking');
  expect(modelWith({}).looks).toEqual([]);
});

test('the next boot, and an approval that was given beforehand, are said in words', () => {
  expect(modelWith({ next_boot: 7200 }).nextBoot).toBe('2 h');
  expect(modelWith({}).nextBoot).toBeNull();
  const { sentence } = outcomeOf({ state: 'released', decided_by: 'planned:Anna' });
  expect(sentence).toContain('by Anna, beforehand');
});

test('a key in a TPM is named, and looked at where the gateway knows another', () => {
  const asked = (key: 'file' | 'tpm') =>
    cardOf({ host: { id: 'a', name: 'nas', group: 'home', key }, evidence: { tpm: true } });
  expect(factsOf(asked('tpm')).Key).toMatchObject({ value: 'held in its TPM', remark: null });
  expect(modelOf(asked('file'), now).looks).toEqual(['Enrolled with a key in a file']);
  expect(factsOf(cardOf({ evidence: { tpm: false } })).Key).toBeUndefined();
});

test('a request of the first protocol shows its address, and that no more is known', () => {
  const model = modelWith({ host: null, number: null, evidence: null, compared: null, volumes: [] });
  expect(model).toMatchObject({
    name: 'Host at 192.0.2.7',
    group: null,
    looks: ['Only its address is known'],
  });
  expect(model.seen).toMatchObject([
    { label: 'Address', value: '192.0.2.7, dsl-7.example.net', remark: null },
  ]);
  expect(model.said).toEqual([]);
});

test('evidence of the wrong kind is shown as what it is', () => {
  const facts = factsOf(
    cardOf({
      evidence: { kernel: { a: 1 }, uptime: 'long', hostname: ['x'], planned: 'yes', addresses: [1, null] },
    }),
  );
  expect(facts.Kernel?.value).toBe('{"a":1}');
  expect(facts['Running for']?.value).toBe('long');
  expect(facts['Calls itself']?.value).toBe('["x"]');
  expect(facts['Its addresses']?.value).toBe('1, null');
  expect(facts.Restart).toBeUndefined();
});

test('a request past its time is expired, whatever the gateway last said', () => {
  expect(modelWith({ expires_at: '2026-11-25T11:59:59Z' })).toMatchObject({ state: 'expired', open: false });
  expect(modelWith({ state: 'approved', expires_at: '2026-11-25T11:59:59Z' }).state).toBe('approved');
});

test('every state has a word, and says who decided', () => {
  expect(outcomeOf({ state: 'denied', decided_by: 'Anna' })).toEqual({
    word: 'Denied',
    sentence: 'Denied by Anna. The host stays locked.',
  });
  for (const state of ['acknowledged', 'denied', 'expired', 'cancelled', 'superseded'] as const) {
    expect(hasEnded(state)).toBe(true);
    expect(outcomeOf({ state, decided_by: null }).word).not.toBe('');
  }
  for (const state of ['pending', 'approved', 'released'] as const) expect(hasEnded(state)).toBe(false);
});
