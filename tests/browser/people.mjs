// Registering, signing in, one's passkeys, and other people.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Person } from './person.mjs';
import { fakeOnly } from './world.mjs';

/// Somebody whom the owner invites on the page; the caller closes their context.
export async function invited({ anna, browser, world }, name, role = 'approver') {
  await anna.visit('#people');
  await anna.page.getByLabel('Name', { exact: true }).fill(name);
  await anna.page.getByLabel('Role').selectOption(role);
  await anna.button('Make a link').click();
  const link = await anna.page.locator('.invite-link input').inputValue();
  const person = await Person.open(browser, world);
  await person.register(link.split('#register=')[1], `${name}’s phone`);
  return person;
}

export function people(scene) {
  describe('people', () => {
    test('an invite makes a passkey and a session, and leaves the address', async () => {
      const { page } = scene.anna;
      assert.equal(new URL(page.url()).hash, '#requests');
      await page.getByRole('link', { name: 'Passkeys' }).click();
      await page.locator('.row-title', { hasText: 'Anna’s phone' }).waitFor();
      await page.getByText('Signed in as Anna, owner.').waitFor();
    });

    test('an invite that was used is refused in words', async () => {
      const other = await Person.open(scene.browser, scene.world);
      await other.visit(`#register=${scene.world.invite}`);
      await other.button('Make my passkey').click();
      await other.page.getByRole('alert').waitFor();
      assert.match(await other.page.getByRole('alert').innerText(), /invite|link/i);
      await other.context.close();
    });

    test('who signs out signs in again with the passkey, and comes back to where the link led', async () => {
      const { anna } = scene;
      await anna.visit('#passkeys');
      await anna.button('Sign out').click();
      await anna.heading('Sign in').waitFor();
      await anna.visit('#hosts');
      await anna.signIn();
      await anna.heading('Hosts').waitFor();
    });

    test('a passkey prompt that is closed at sign-in is no error', async () => {
      const other = await Person.open(scene.browser, scene.world);
      await other.visit();
      await other.setVerified(false);
      await other.signIn();
      await other.page.locator('.note.calm').waitFor();
      await other.context.close();
    });

    test('a second passkey is added, renamed and deleted; the last one stays', async () => {
      const { anna } = scene;
      const { page } = anna;
      await anna.visit('#passkeys');
      await page.locator('[data-passkey]').first().waitFor();
      const dialog = page.getByRole('dialog');
      await anna.button('Add a passkey').click();
      await dialog.getByLabel('Name of the passkey').fill('Key ring');
      await anna.setPresent(false);
      const ring = await anna.addAuthenticator('usb');
      await dialog.getByRole('button', { name: 'Continue' }).click();
      await dialog.getByRole('heading', { name: 'Now with one you have' }).waitFor();
      await anna.removeAuthenticator(ring);
      await anna.setPresent(true);
      await dialog.getByRole('button', { name: 'Confirm' }).click();
      await anna.button('Rename Key ring').click();

      await dialog.getByLabel('Name of the passkey').fill('Key in the safe');
      await dialog.getByRole('button', { name: 'Rename' }).click();
      await anna.button('Delete Key in the safe').click();
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await anna.button('Delete Key in the safe').waitFor({ state: 'detached' });

      await anna.button('Delete Anna’s phone').click();
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await dialog.getByRole('alert').waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Delete Anna’s phone');
    });

    test('an owner invites, sees and revokes an approver, who sees less', async () => {
      const { anna } = scene;
      const carl = await invited(scene, 'Carl');
      assert.equal(await carl.page.getByRole('link', { name: 'People' }).count(), 0);
      await carl.visit('#people');
      await carl.page.getByText('Only owners see and invite people.').waitFor();
      await anna.visit('#people');
      await anna.button('Revoke Carl').click();
      await anna.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await anna.page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.equal(await anna.button('Revoke Carl').count(), 0);
      await carl.visit('#requests');
      await carl.heading('Sign in').waitFor();
      assert.deepEqual(carl.faults, []);
      await carl.context.close();
    });

    test('an invite that nobody used is seen and withdrawn, and its link is dead', async () => {
      const { anna, browser, world } = scene;
      await anna.visit('#people');
      await anna.page.getByLabel('Name', { exact: true }).fill('Eve');
      await anna.button('Make a link').click();
      const link = await anna.page.locator('.invite-link input').inputValue();
      await anna.button('Withdraw the invite of Eve').click();
      await anna.page.locator('[data-invite]', { hasText: 'Eve' }).waitFor({ state: 'detached' });
      const eve = await Person.open(browser, world);
      await eve.visit(`#register=${link.split('#register=')[1]}`);
      await eve.button('Make my passkey').click();
      await eve.page.getByRole('alert').waitFor();
      await eve.context.close();
    });

    test('the last owner cannot be revoked, and the page says why', async () => {
      const { anna } = scene;
      await anna.visit('#people');
      await anna.button('Revoke Anna').click();
      const dialog = anna.page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Revoke' }).click();
      await dialog.getByRole('alert').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'detached' });
    });

    test(
      'a next boot is approved with the passkey, shown, and taken back',
      { skip: !fakeOnly() },
      async () => {
        const { anna, world } = scene;
        world.fake.become(world.fake.ask({ host: { name: 'barn', group: 'home' } }), 'cancelled');
        await anna.visit('#hosts');
        const barn = anna.page.locator('[data-host]', { hasText: 'barn' });
        await anna.button('Approve next boot of barn').click();
        const dialog = anna.page.getByRole('dialog');
        await dialog.getByLabel('Within').selectOption('30 minutes');
        await dialog.getByRole('button', { name: 'Approve' }).click();
        await barn.getByText('Next boot approved by Anna until').waitFor();
        await anna.button('Take back of barn').click();
        await barn.getByText('Next boot approved').waitFor({ state: 'detached' });
        await anna.button('Approve next boot of barn').waitFor();
      },
    );

    test('a request for the next boot says so', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      const id = world.fake.ask({ host: { name: 'shed', group: 'home' }, next_boot: 7200 });
      await anna.visit('#requests');
      await anna.card(id).getByText('it then unlocks without anybody being asked, once').waitFor();
      world.fake.become(id, 'cancelled');
    });

    test('a request for new keys says so', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      const id = world.fake.ask({ host: { name: 'attic', group: 'home' }, new_keys: true });
      await anna.visit('#requests');
      const card = anna.card(id);
      await card.getByText('may enrol anew under its name; then the old share is destroyed').waitFor();
      await card.getByRole('button', { name: 'Deny' }).click();
      await card.getByRole('button', { name: 'Deny' }).click();
      await card.getByText('The host keeps those it has').waitFor();
    });

    test(
      'a drill says that it is one, takes the same passkey, and ends as one',
      { skip: !fakeOnly() },
      async () => {
        const { anna, world } = scene;
        const id = world.fake.ask({ host: { name: 'shed', group: 'home' }, drill: true });
        await anna.visit('#requests');
        const card = anna.card(id);
        await card.getByText('tries whether it would come back after a reboot, and opens nothing').waitFor();
        await card.getByText('Its share is released to it all the same').waitFor();
        await card.getByText('Tries 1 volume').waitFor();
        await anna.button('Approve shed').click();
        await card.getByText('Approved by Anna').waitFor();
        world.fake.become(id, 'acknowledged');
        await card.getByText('Drilled').waitFor();
        await anna.visit('#history');
        await anna.page.locator(`a[href*="${id}"]`).getByText('Drill', { exact: true }).waitFor();
      },
    );

    test('a host shows what its check found, and that it is overdue', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      world.fake.become(world.fake.ask({ host: { name: 'silo', group: 'home' } }), 'cancelled');
      const [silo] = [...world.fake.hosts.values()].filter((host) => host.name === 'silo');
      const said = { version: '1', generation: 3, count: 0, findings: [], overdue: false };
      silo.heartbeat = { at: new Date(Date.now() - 3 * 3600_000).toISOString(), ...said };
      await anna.visit('#hosts');
      const row = anna.page.locator('[data-host]', { hasText: 'silo' });
      await row.getByText('Checked 3 h ago: fine').waitFor();
      const findings = ['tank/a: its key was changed', '<b>bold</b>\u202e', 'tank/c: gone'];
      silo.heartbeat = { ...silo.heartbeat, count: 5, findings, overdue: true };
      await anna.visit('#requests');
      await anna.visit('#hosts');
      await row.getByText('5 findings 3 h ago · overdue').waitFor();
      await row.getByText('tank/a: its key was changed').waitFor();
      await row.getByText('and 2 more').waitFor();
      assert.equal(await row.locator('b').count(), 0);
    });

    test('only an owner revokes a host, and only after a question', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      world.fake.become(world.fake.ask({ host: { name: 'attic', group: 'home' } }), 'cancelled');
      const carl = await invited(scene, 'Carl');
      await carl.visit('#hosts');
      await carl.page.locator('[data-host]').first().waitFor();
      assert.equal(await carl.button('Revoke attic').count(), 0);
      await carl.context.close();

      await anna.visit('#hosts');
      await anna.button('Revoke attic').click();
      await anna.button('Cancel').click();
      await anna.button('Revoke attic').click();
      await anna.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await anna.page.getByText('Revoked today').waitFor();
      assert.equal(await anna.button('Revoke attic').count(), 0);
    });

    test('the invite’s link is copied', async () => {
      const { anna } = scene;
      await anna.context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await anna.visit('#people');
      await anna.page.getByLabel('Name', { exact: true }).fill('Dora');
      await anna.button('Make a link').click();
      await anna.button('Copy').click();
      await anna.button('Copied').waitFor();
      const copied = await anna.page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /\/#register=[\w-]{20,}$/);
    });
  });
}
