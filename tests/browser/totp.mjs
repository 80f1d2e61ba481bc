// Codes of an authenticator app: set up, used where the passkey is not at hand, removed.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { App } from './fake_totp.mjs';
import { invited } from './people.mjs';

const kCode = 'Code from your app';

/// Has the person set an app up, and leaves the dialog that shows its secret.
export async function beginApp(person) {
  await person.visit('#passkeys');
  await person.button('Set up an app').click();
  const dialog = person.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.getByRole('heading', { name: 'Scan this with the app' }).waitFor();
  return new App(await dialog.locator('.secret').innerText());
}

async function setUp(person) {
  const app = await beginApp(person);
  const dialog = person.page.getByRole('dialog');
  await dialog.getByLabel(kCode).fill(await app.code());
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await person.page.locator('[data-totp="active"]').waitFor();
  return app;
}

async function signInByCode(person, name, code, hash) {
  await person.visit(hash);
  await person.page.getByRole('link', { name: 'Use a code instead' }).click();
  await person.page.getByLabel('Your name here').fill(name);
  await person.page.getByLabel(kCode).fill(code);
  await person.button('Sign in with the code').click();
}

export function totp(scene) {
  describe('codes of an authenticator app', () => {
    test('who has no passkey at hand sees what codes may decide, decides it with one code each, and no more', async () => {
      const ivo = await invited(scene, 'Ivo');
      const app = await setUp(ivo);
      const mine = await scene.world.ask({ host: { name: 'nas', group: 'home' } });
      const others = await scene.world.ask({ host: { name: 'archive', group: 'databases' } });
      await ivo.context.clearCookies();
      await ivo.removeAuthenticator(ivo.authenticator);
      const code = await app.code();
      await signInByCode(ivo, 'Ivo', code, `#request=${mine}`);
      await ivo.heading('Request').waitFor();
      await ivo.card(mine).waitFor();
      await ivo.page.getByRole('link', { name: 'All open requests' }).click();
      assert.equal(await ivo.card(others).count(), 0);
      assert.equal(await ivo.page.locator('nav a').count(), 1, 'requests alone');
      await ivo.page.getByText('Ivo, with a code').waitFor();
      await ivo.go('#people');
      await ivo.heading('Requests').waitFor();

      await ivo.card(mine).getByRole('button', { name: 'Approve' }).click();
      await ivo.card(mine).getByText('Type the code that your app shows now.').waitFor();
      await ivo.card(mine).getByLabel(kCode).fill(code);
      await ivo.card(mine).getByRole('button', { name: 'Approve' }).click();
      await ivo.card(mine).getByText('was used before').waitFor();
      assert.equal((await scene.anna.stateOf(mine)).state, 'pending');
      await ivo
        .card(mine)
        .getByLabel(kCode)
        .fill(await app.code());
      await ivo.card(mine).getByRole('button', { name: 'Approve' }).click();
      await ivo.card(mine).getByText('Approved by Ivo, with a code').waitFor();

      await ivo.button('Sign out').click();
      await ivo.heading('Use a code').or(ivo.heading('Sign in')).waitFor();
      assert.equal((await scene.anna.stateOf(others)).state, 'pending');
      assert.deepEqual(ivo.faults, []);
      await ivo.context.close();
    });

    test('a denial takes the code that was typed before, and says why', async () => {
      const jutta = await invited(scene, 'Jutta');
      const app = await setUp(jutta);
      const id = await scene.world.ask({ host: { name: 'nas', group: 'home' } });
      await jutta.context.clearCookies();
      await signInByCode(jutta, 'Jutta', await app.code());
      const card = jutta.card(id);
      await card.getByLabel(kCode).fill(await app.code());
      await card.getByRole('button', { name: 'Deny' }).click();
      await card.getByRole('button', { name: 'Not now' }).click();
      await card.locator('.deny.solid').click();
      await card.getByText('Denied by Jutta, with a code').waitFor();
      assert.equal((await scene.anna.stateOf(id)).reason, 'Not now');
      assert.deepEqual(jutta.faults, []);
      await jutta.context.close();
    });

    test('a wrong code is refused in words, and an app that was removed signs nobody in', async () => {
      const kurt = await invited(scene, 'Kurt');
      const app = await beginApp(kurt);
      const dialog = kurt.page.getByRole('dialog');
      assert.equal(await dialog.getByRole('img', { name: 'QR code' }).isVisible(), true);
      assert.match(await dialog.getByRole('link').getAttribute('href'), /^otpauth:\/\/totp\//);
      await dialog.getByLabel(kCode).fill('12345');
      await dialog.getByRole('button', { name: 'Confirm' }).click();
      await dialog.getByRole('alert').waitFor();
      await dialog.getByLabel(kCode).fill(await app.code());
      await dialog.getByRole('button', { name: 'Confirm' }).click();
      await kurt.button('Remove the app').click();
      await dialog.getByRole('button', { name: 'Remove' }).click();
      await kurt.page.locator('[data-totp="none"]').waitFor();
      await kurt.button('Sign out').click();
      await kurt.heading('Sign in').waitFor();
      await signInByCode(kurt, 'Kurt', await app.code());
      await kurt.page.getByRole('alert').waitFor();
      assert.deepEqual(kurt.faults, []);
      await kurt.context.close();
    });
  });
}
