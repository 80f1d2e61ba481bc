// Who has something of a passkey, but not the passkey: a copy of it, one that was revoked, or the owner's eyes on
// another site. Before the real gateway only: it is the gateway, or the browser, that has to refuse them.

import assert from 'node:assert/strict';
import { createServer, request as ask } from 'node:http';
import { describe, test } from 'node:test';

import { invited } from './people.mjs';
import { Person } from './person.mjs';
import { fakeOnly } from './world.mjs';

/// The credential in this person's authenticator, as no authenticator gives it away.
async function passkeyOf({ devtools, authenticator: authenticatorId }) {
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials.length, 1);
  return credentials[0];
}

/// Another browser whose authenticator holds this credential.
async function holding(scene, credential, world = scene.world) {
  const person = await Person.open(scene.browser, world);
  const { authenticator: authenticatorId } = person;
  await person.devtools.send('WebAuthn.addCredential', { authenticatorId, credential });
  return person;
}

/// A site of somebody else that hands everything on to the gateway, as if it were the gateway's own page that asked.
async function openPhishing(base) {
  const real = new URL(base);
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, host: real.host };
    if (headers.origin) headers.origin = real.origin;
    delete headers.referer;
    const { method, url: path } = incoming;
    const onward = ask({ host: real.hostname, port: real.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { base: `http://phishing.localhost:${server.address().port}`, close };
}

async function refusedAtSignIn(person) {
  await person.visit();
  await person.signIn();
  await person.page.getByRole('alert').waitFor();
  await person.heading('Sign in').waitFor();
}

export function thieves(scene) {
  describe('thieves', { skip: fakeOnly() }, () => {
    test('a copied passkey, once the real one was used, gets nobody in and ends for both', async () => {
      const carl = await invited(scene, 'Carla');
      const copy = { ...(await passkeyOf(carl)), signCount: 0 };
      const id = await scene.world.ask();
      const thief = await holding(scene, copy);
      await refusedAtSignIn(thief);
      await refusedAtSignIn(thief);
      await carl.visit('#requests');
      await carl.heading('Sign in').waitFor();
      assert.equal((await scene.anna.stateOf(id)).state, 'pending');
      await thief.context.close();
      await carl.context.close();
    });

    test('a revoked passkey decides nothing, not even on a card that is open already', async () => {
      const { anna, world } = scene;
      const dora = await invited(scene, 'Doro');
      const id = await world.ask();
      await dora.visit('#requests');
      await dora.card(id).waitFor();
      await anna.visit('#people');
      await anna.button('Revoke Doro').click();
      await anna.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await anna.button('Revoke Doro').waitFor({ state: 'detached' });
      const approve = dora.card(id).getByRole('button', { name: 'Approve' });
      if ((await approve.count()) > 0) await approve.click();
      await dora.heading('Sign in').waitFor();
      await dora.signIn();
      await dora.page.getByRole('alert').waitFor();
      assert.equal((await anna.stateOf(id)).state, 'pending');
      await dora.context.close();
    });

    test('a passkey is not even asked for its signature on another site', async () => {
      const eva = await invited(scene, 'Evi');
      const phishing = await openPhishing(scene.world.base);
      const victim = await holding(scene, { ...(await passkeyOf(eva)), signCount: 100 }, phishing);
      const sent = [];
      victim.page.on('request', (one) => sent.push(`${one.method()} ${new URL(one.url()).pathname}`));
      await refusedAtSignIn(victim);
      assert.ok(sent.includes('POST /v2/session/challenge'), 'the gateway was asked for a challenge');
      assert.ok(!sent.includes('POST /v2/session'), 'the browser signed nothing for another site');
      const { cookies } = await victim.devtools.send('Network.getAllCookies');
      assert.deepEqual(cookies, []);
      await victim.context.close();
      await phishing.close();
      await eva.visit('#passkeys');
      await eva.page.getByText('Signed in as Evi').waitFor();
      await eva.context.close();
    });
  });
}
