// The gateway under test. Without settings it is the fake one; with ZKV_BASE it is whichever listens there:
//   ZKV_BASE    its public address, as https://gateway.example or http://localhost:8443
//   ZKV_INVITE  the token of an unused invite for an owner
//   ZKV_ASK     a command that has a host ask: it gets members of a card (JSON) on its input, as many as it can honour, and
//               prints the request's id

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { FakeGateway } from './fake_gateway.mjs';

export const kPage = fileURLToPath(new URL('../../web/dist', import.meta.url));

/// { base, invite, ask(spec), fake, close() }; before a fake gateway also expireChallenges(), and `fake` is null before a real one.
export async function openWorld(environment = process.env) {
  return environment.ZKV_BASE ? realWorld(environment) : fakeWorld();
}

/// Whether the world can be bent in ways that no real gateway allows.
export function fakeOnly() {
  return !process.env.ZKV_BASE;
}

async function fakeWorld() {
  const fake = new FakeGateway(kPage);
  await fake.start();
  return {
    fake,
    base: fake.origin,
    invite: fake.invite('Anna', 'owner'),
    ask: async (spec) => fake.ask(spec),
    expireChallenges: async () => fake.expireChallenges(),
    close: () => fake.stop(),
  };
}

function realWorld({ ZKV_BASE: base, ZKV_INVITE: invite, ZKV_ASK: command }) {
  if (!invite || !command) throw new Error('ZKV_BASE wants ZKV_INVITE and ZKV_ASK beside it');
  return {
    fake: null,
    base: base.replace(/\/$/, ''),
    invite,
    ask: async (spec = {}) =>
      execFileSync('sh', ['-c', command], { input: JSON.stringify(spec), encoding: 'utf8' }).trim(),
    close: async () => {},
  };
}
