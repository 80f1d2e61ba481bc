// The gateway under test. Without settings it is the fake one; with ZKV_BASE it is whichever listens there:
//   ZKV_BASE    its public address, as https://gateway.example or http://localhost:8443
//   ZKV_INVITE  the token of an unused invite for an owner
//   ZKV_ASK     a command that has a host ask: it gets members of a card (JSON) on its input, as many as it can honour, and
//               prints the request's id
//   ZKV_PUSH    the control address of the push service that it sends to (tests/standins/push.mjs), and
//   ZKV_PUSH_ORIGIN  that service's own

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { FakeGateway } from './fake_gateway.mjs';

export const kPage = fileURLToPath(new URL('../../web/dist', import.meta.url));

/// { base, invite, ask(spec), fake, close() }, and of Web Push subscribe(key), which gives { endpoint, p256dh, auth }, and
/// messageTo(subscription, id), the text that reached a browser about a request; before a fake gateway also expireChallenges(), and `fake` is null before a real one.
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
    subscribe: async (key) => fake.push.subscribe(key),
    messageTo: async (subscription, id) =>
      fake.push.messageTo(
        subscription,
        fake.requests.find((one) => one.id === id),
      ),
    expireChallenges: async () => fake.expireChallenges(),
    close: () => fake.stop(),
  };
}

function realWorld({ ZKV_BASE: base, ZKV_INVITE: invite, ZKV_ASK: command, ...environment }) {
  const { ZKV_PUSH: push, ZKV_PUSH_ORIGIN: pushOrigin } = environment;
  if (!invite || !command || !push || !pushOrigin)
    throw new Error('ZKV_BASE wants ZKV_INVITE, ZKV_ASK, ZKV_PUSH and ZKV_PUSH_ORIGIN beside it');
  return {
    fake: null,
    base: base.replace(/\/$/, ''),
    invite,
    ask: async (spec = {}) =>
      execFileSync('sh', ['-c', command], { input: JSON.stringify(spec), encoding: 'utf8' }).trim(),
    subscribe: async (key) => {
      const answer = await fetch(`${push}/subscriptions`, { method: 'POST', body: JSON.stringify({ key }) });
      const { path, p256dh, auth } = await answer.json();
      return { endpoint: pushOrigin + path, p256dh, auth };
    },
    messageTo: async ({ endpoint }, id) => {
      const subscription = endpoint.split('/').at(-1);
      for (let after = 0; ; ) {
        const answer = await fetch(`${push}/messages?subscription=${subscription}&after=${after}&wait=20`);
        const messages = await answer.json();
        if (messages.length === 0) return null;
        const about = messages.find(({ text }) => JSON.parse(text).request === id);
        if (about) return about.text;
        after = messages.at(-1).n;
      }
    },
    close: async () => {},
  };
}
