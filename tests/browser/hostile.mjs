// A host that tries to do something to the person who looks at its request.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { fakeOnly } from './world.mjs';

const kAttacks = [
  '<img src=x onerror="zkvFault(\'ran\')">',
  '<script>zkvFault("ran")</script>',
  '"><svg/onload=zkvFault("ran")>',
  'javascript:zkvFault("ran")//',
  '\u202Egnp.exe\u202C\u2066\u2069\u200E\u200F',
  'na\u0000s\u0007\u001B[2J\u007F\u0085\u009B',
  '\u200B\u200C\u200D\u2060\uFEFF\u00AD',
  'a' + '\u0301'.repeat(200),
  'W'.repeat(5000),
  '\n\r\n\u2028\u2029 x  y ',
  '\uFDFD'.repeat(100),
  '{{constructor.constructor("zkvFault(1)")()}}',
];

export function hostile(scene) {
  describe('a hostile host', { skip: !fakeOnly() }, () => {
    for (const [index, attack] of kAttacks.entries()) {
      test(`sends ${JSON.stringify(attack).slice(0, 40)} in every field, and it is only text`, async () => {
        const { anna, world } = scene;
        const id = world.fake.ask(hostileCard(attack, index));
        await anna.visit('#requests');
        await checkSafe(anna, id);
        await anna.visit(`#request=${encodeURIComponent(id)}`);
        await checkSafe(anna, id);
        world.fake.become(id, 'denied');
        await anna.card(id).getByText('Denied by').waitFor();
        for (const view of ['#history', '#hosts']) {
          await anna.visit(view);
          await anna.page.locator('.row').first().waitFor();
          assert.equal(await anna.sideways(), 0, view);
          await checkClean(anna);
        }
      });
    }

    test('sends evidence that is no text, and the card still stands', async () => {
      const { anna, world } = scene;
      const evidence = {
        kernel: { a: [1] },
        uptime: {},
        hostname: 7,
        addresses: 'x',
        planned: 'no',
        boot_id: [],
      };
      const id = world.fake.ask({ evidence });
      await anna.visit('#requests');
      await checkSafe(anna, id);
      world.fake.become(id, 'denied');
    });

    test('asks for a thousand volumes, and the card stays short', async () => {
      const { anna, world } = scene;
      const volumes = Array.from({ length: 1000 }, (_, index) => `tank/volume-${index}`);
      const id = world.fake.ask({ volumes });
      await anna.visit('#requests');
      await anna.card(id).getByText('and 996 more').waitFor();
      assert.ok((await anna.card(id).boundingBox()).height < 900);
      world.fake.become(id, 'denied');
    });
  });
}

function hostileCard(attack, index) {
  return {
    id: `hostile-${index}/?#%`,
    host: { name: attack, group: attack },
    address: attack,
    address_name: attack,
    volumes: [attack, attack, attack, attack, attack, attack],
    number: attack,
    decided_by: attack,
    reason: attack,
    evidence: {
      boot_id: attack,
      kernel: attack,
      hostname: `${attack}!`,
      uptime: attack,
      addresses: [attack, attack],
      planned: attack,
    },
    compared: {
      first_from_address: true,
      kernel_changed: true,
      last_release: attack,
      replaces_other_boot: false,
    },
  };
}

async function checkSafe(anna, id) {
  const card = anna.card(id);
  await card.getByRole('button', { name: 'Approve' }).waitFor();
  await card
    .locator('summary')
    .first()
    .click({ timeout: 500 })
    .catch(() => {});
  assert.equal(await anna.sideways(), 0);
  assert.equal(await card.locator('img, script, iframe, object, [onerror], [onload]').count(), 0);
  const box = await card.getByRole('button', { name: 'Approve' }).boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= anna.page.viewportSize().width);
  assert.ok(box.height < 100, 'the button keeps its shape');
  await checkClean(anna);
}

/// Nothing that is invisible, and nothing that turns the reading direction around, is in the page.
async function checkClean(anna) {
  const text = await anna.page.evaluate(() => document.body.textContent + document.title);
  assert.doesNotMatch(text, /[\p{Cf}\p{Zl}\p{Zp}\u0000-\u0008\u000B-\u001F\u007F-\u009F]/u);
}
