// Requests: seeing them, deciding them, and all that comes between.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { invited } from './people.mjs';
import { fakeOnly } from './world.mjs';

export function deciding(scene) {
  describe('deciding', () => {
    let bea;
    before(async () => {
      bea = await invited(scene, 'Bea');
    });
    after(async () => {
      assert.deepEqual(bea.faults, []);
      await bea.context.close();
    });

    test('a request appears by itself, and is read aloud', async () => {
      const { anna, world } = scene;
      await anna.visit('#requests');
      await anna.page.locator('.connection.live').waitFor();
      const id = await world.ask();
      await anna.card(id).waitFor();
      assert.match(await anna.page.locator('[aria-live=polite]').innerText(), /^New request from /);
    });

    test('a passkey approves, and the gateway accepts its signature', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      await anna.card(id).getByRole('button', { name: 'Approve' }).click();
      await anna.card(id).getByText('Approved by Anna').waitFor();
      assert.equal(await anna.card(id).getByRole('button', { name: 'Approve' }).count(), 0);
      const decided = await anna.stateOf(id);
      assert.ok(['approved', 'released', 'acknowledged'].includes(decided.state));
      assert.equal(decided.decided_by, 'Anna');
    });

    test('the link to one request decides nothing until the button is pressed', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit(`#request=${encodeURIComponent(id)}`);
      await anna.card(id).getByText('Exactly what you decide').click();
      assert.equal((await anna.stateOf(id)).state, 'pending');
      await anna.button('Approve').click();
      await anna.page.getByText('Approved by Anna').waitFor();
    });

    test('a keyboard alone approves, and the focus stays with the card', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit(`#request=${encodeURIComponent(id)}`);
      const button = anna.card(id).getByRole('button', { name: 'Approve' });
      await button.waitFor();
      for (let step = 0; step < 20; step++) {
        await anna.page.keyboard.press('Tab');
        if (await button.evaluate((element) => element === document.activeElement)) break;
      }
      await anna.page.keyboard.press('Enter');
      await anna.page.getByText('Approved by Anna').waitFor();
      assert.equal(await anna.page.evaluate(() => document.activeElement.tagName), 'H2');
    });

    test('a denial carries its reason into the history', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      const card = anna.card(id);
      await card.getByRole('button', { name: 'Deny' }).click();
      await card.getByLabel('Why?').fill('Nobody is at home');
      await card.getByRole('button', { name: 'Deny' }).click();
      await card.getByText('Denied by Anna').waitFor();
      const decided = await anna.stateOf(id);
      assert.deepEqual([decided.state, decided.reason], ['denied', 'Nobody is at home']);
      await anna.go('#history');
      await anna.page.getByText('Nobody is at home').first().waitFor();
    });

    test('the history goes back as far as there are requests', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      const ids = Array.from({ length: 120 }, () => world.fake.ask({ host: { name: 'old', group: 'home' } }));
      for (const id of ids) world.fake.become(id, 'cancelled');
      const oldest = world.fake.requests[0].id;
      await anna.visit('#history');
      const rows = anna.page.locator('a.row');
      await rows.first().waitFor();
      assert.equal(await rows.count(), 100);
      await anna.button('Show older ones').click();
      await anna.page.locator(`a.row[href="#request=${oldest}"]`).click();
      await anna.card(oldest).waitFor();
      assert.equal(await anna.page.getByText('not known here any more').count(), 0);
    });

    test('an ended card stays until it is put away', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      await anna.card(id).waitFor();
      await bea.visit(`#request=${encodeURIComponent(id)}`);
      await bea.button('Deny').click();
      await bea.button('I did not expect this').click();
      await bea.button('Deny').click();
      await anna.card(id).getByText('Denied by Bea').waitFor();
      await anna.card(id).getByText('I did not expect this').waitFor();
      await anna.card(id).getByRole('button', { name: 'Put away' }).click();
      await anna.card(id).waitFor({ state: 'detached' });
    });

    test('who decides second is told who was first', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      let letGo;
      const held = new Promise((resolve) => (letGo = resolve));
      await anna.page.route('**/decision', async (route) => {
        await held;
        await route.continue();
      });
      const answered = anna.page.waitForResponse('**/decision');
      await anna.card(id).getByRole('button', { name: 'Approve' }).click();
      await anna.page.getByText('Sending your decision…').waitFor();
      await bea.visit(`#request=${encodeURIComponent(id)}`);
      await bea.button('Deny').click();
      await bea.button('Deny').click();
      await bea.page.getByText('Denied by Bea').waitFor();
      letGo();
      assert.equal((await answered).status(), 409);
      await anna.page.unroute('**/decision');
      await anna.card(id).getByRole('alert').waitFor();
      await anna.card(id).getByText('Denied by Bea. The host stays locked.').waitFor();
      assert.equal((await anna.stateOf(id)).state, 'denied');
    });

    test('a prompt for a request that meanwhile ended goes away', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      await anna.setPresent(false);
      await anna.card(id).getByRole('button', { name: 'Approve' }).click();
      await anna.page.getByText('Waiting for your passkey…').waitFor();
      await bea.visit(`#request=${encodeURIComponent(id)}`);
      await bea.button('Approve').click();
      await anna.card(id).getByText('Approved by Bea').waitFor();
      await anna.page.getByText('Waiting for your passkey…').waitFor({ state: 'detached' });
      await anna.setPresent(true);
    });

    test('a cancelled prompt decides nothing, calmly, and the buttons are back', async () => {
      const { anna, world } = scene;
      const id = await world.ask();
      await anna.visit('#requests');
      const card = anna.card(id);
      await anna.setPresent(false);
      await card.getByRole('button', { name: 'Approve' }).click();
      await card.getByRole('button', { name: 'Cancel' }).click();
      await card.getByText('Nothing was decided.').waitFor();
      assert.equal(await card.getByRole('alert').count(), 0);
      await anna.setPresent(true);
      await card.getByRole('button', { name: 'Approve' }).click();
      await card.getByText('Approved by Anna').waitFor();
    });

    test(
      'a challenge that has expired is refused in words, and the next try works',
      { skip: !fakeOnly() },
      async () => {
        const { anna, world } = scene;
        const id = await world.ask();
        await anna.visit('#requests');
        const card = anna.card(id);
        await anna.page.route('**/decision', async (route) => {
          await world.expireChallenges();
          await route.continue();
        });
        await card.getByRole('button', { name: 'Approve' }).click();
        await card.getByRole('alert').waitFor({ timeout: 150_000 });
        assert.equal((await anna.stateOf(id)).state, 'pending');
        await anna.page.unroute('**/decision');
        await card.getByRole('button', { name: 'Approve' }).click();
        await card.getByText('Approved by Anna').waitFor();
      },
    );

    test('a lost network is shown, and what was missed is there on return', async () => {
      const { anna, world } = scene;
      await anna.visit('#requests');
      const early = await world.ask();
      await anna.card(early).waitFor();
      await anna.context.setOffline(true);
      await anna.page.getByText('Connection lost.').waitFor();
      await anna.card(early).getByRole('button', { name: 'Approve' }).click();
      await anna.card(early).getByText('The gateway cannot be reached.').waitFor();
      const late = await world.ask({ host: { name: 'backup', group: 'home' } });
      await anna.context.setOffline(false);
      await anna.card(late).waitFor();
      await anna.page.getByText('Connection lost.').waitFor({ state: 'detached' });
      await anna.page.locator('.connection.live').waitFor();
      await anna.card(early).getByRole('button', { name: 'Approve' }).click();
      await anna.card(early).getByText('Approved by Anna').waitFor();
    });

    test('a request that expires while looked at says so', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      const soon = new Date(Date.now() + 4000).toISOString();
      const id = await world.ask({ expires_at: soon });
      await anna.visit('#requests');
      await anna.card(id).locator('.countdown.hurry').waitFor();
      await anna.card(id).getByText('Nobody decided in time.').waitFor({ timeout: 10_000 });
      assert.equal(await anna.card(id).getByRole('button', { name: 'Approve' }).count(), 0);
      world.fake.become(id, 'expired');
    });

    test('a session that ends leads to signing in, and back', { skip: !fakeOnly() }, async () => {
      const { anna, world } = scene;
      await anna.visit('#hosts');
      await anna.heading('Hosts').waitFor();
      world.fake.endSessions();
      await world.ask();
      await anna.page.getByText('Your session has ended.').waitFor();
      await anna.signIn();
      await anna.heading('Hosts').waitFor();
      await bea.visit();
      await bea.signIn();
      await bea.heading('Requests').waitFor();
    });
  });
}
