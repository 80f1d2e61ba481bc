// Recovery codes: made, printed, used when the passkey is lost.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { invited } from './people.mjs';

/// Has the person make codes, and leaves the dialog with them open.
async function makeCodes(person, verb) {
  await person.visit('#passkeys');
  await person.button(verb).click();
  const dialog = person.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Make them' }).click();
  await dialog.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
  return dialog.locator('.codes li').allInnerTexts();
}

async function recover(person, code, label) {
  await person.visit();
  await person.page.getByRole('link', { name: 'I lost my passkey' }).click();
  await person.page.getByLabel('Recovery code').fill(code);
  await person.page.getByLabel('Name of the passkey').fill(label);
  await person.button('Make a new passkey').click();
}

export function recovery(scene) {
  describe('recovery codes', () => {
    test('who lost the passkey comes back by a code, once, and removes what was lost', async () => {
      const gerda = await invited(scene, 'Gerda');
      const codes = await makeCodes(gerda, 'Make recovery codes');
      assert.equal(new Set(codes).size, 10);
      await gerda.context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await gerda.button('Copy').click();
      await gerda.button('Copied').waitFor();
      assert.equal(await gerda.page.evaluate(() => navigator.clipboard.readText()), codes.join('\n'));
      await gerda.button('I have them on paper').click();
      await gerda.page.getByText('10 left').waitFor();

      await gerda.context.clearCookies();
      await gerda.removeAuthenticator(gerda.authenticator);
      gerda.authenticator = await gerda.addAuthenticator('internal');
      await recover(gerda, codes[3].toLowerCase().replaceAll('-', ' '), 'New phone');
      await gerda.heading('You have a new passkey').waitFor();
      await gerda.page.evaluate(() => (window.location.hash = '#history'));
      await gerda.heading('History').waitFor();
      await gerda.page.goBack();
      await gerda.heading('You have a new passkey').waitFor();
      await gerda.button('Go to my passkeys').click();
      await gerda.page.getByText('9 left').waitFor();
      await gerda.button('Delete Gerda’s phone').click();
      await gerda.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await gerda.button('Delete Gerda’s phone').waitFor({ state: 'detached' });
      assert.equal(await gerda.page.locator('[data-passkey]').count(), 1);

      await gerda.button('Sign out').click();
      await gerda.heading('Sign in').waitFor();
      await recover(gerda, codes[3], 'Once more');
      await gerda.page.getByRole('alert').waitFor();
      assert.match(await gerda.page.getByRole('alert').innerText(), /recovery code was used/);
      assert.deepEqual(gerda.faults, []);
      await gerda.context.close();
    });

    test('new codes end the old ones, and on paper there is nothing but the codes', async () => {
      const hugo = await invited(scene, 'Hugo');
      const [old] = await makeCodes(hugo, 'Make recovery codes');
      const [code] = await makeCodes(hugo, 'Make new ones');
      await hugo.page.emulateMedia({ media: 'print' });
      assert.equal(await hugo.page.locator('.codes li').first().isVisible(), true);
      for (const other of ['h1', 'dialog h2', 'dialog button', 'nav', '.rows'])
        assert.equal(await hugo.page.locator(other).first().isVisible(), false, other);
      await hugo.page.emulateMedia({ media: null });
      const paper = (await hugo.page.pdf({ format: 'A5' })).toString('latin1');
      assert.match(paper, /\/Count 1\b/, 'one page');
      await hugo.button('I have them on paper').click();
      await hugo.button('Sign out').click();
      await hugo.heading('Sign in').waitFor();
      await recover(hugo, old, 'Old paper');
      await hugo.page.getByRole('alert').waitFor();
      const key = await hugo.addAuthenticator('usb');
      await hugo.setPresent(false);
      await recover(hugo, code, 'Key ring');
      await hugo.heading('You have a new passkey').waitFor();
      await hugo.removeAuthenticator(key);
      assert.deepEqual(hugo.faults, []);
      await hugo.context.close();
    });
  });
}
