// How each view looks and reads: contrast and names by axe, narrow screens, targets for a thumb, pictures for people. With
// ZKV_SCREENSHOTS set to a folder, a picture of each is written there. Each colour and each size is looked at once; with
// ZKV_EVERY_LOOK, or for pictures, each with each. Before a real gateway, whose words are all that differs, there is one look.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { kPhone, Person } from './person.mjs';
import { beginApp } from './totp.mjs';
import { fakeOnly, kPage } from './world.mjs';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kFolder = process.env.ZKV_SCREENSHOTS;
const kSizes = { phone: kPhone, desktop: { width: 1280, height: 800 }, narrow: { width: 320, height: 640 } };
const kLooks = ['dark', 'light'].flatMap((colour) => Object.keys(kSizes).map((size) => ({ colour, size })));
const kOnceEach = ['dark phone', 'light desktop', 'light narrow'];
const kWays = kLooks.filter(({ colour, size }) => {
  if (!fakeOnly()) return colour === 'light' && size === 'narrow';
  return kFolder || process.env.ZKV_EVERY_LOOK || kOnceEach.includes(`${colour} ${size}`);
});
const kLimit = 60 * 1024;

export function looks(scene) {
  describe('looks', () => {
    let stranger;
    let views;

    before(async () => {
      stranger = await Person.open(scene.browser, scene.world);
      views = await prepareViews(scene, stranger);
    });
    after(async () => {
      assert.deepEqual(stranger.faults, []);
      await stranger.context.close();
    });

    for (const { colour, size } of kWays)
      test(`every view is sound, ${colour}, on a ${size} screen`, async () => {
        for (const [name, view] of Object.entries(views)) {
          const { page } = view.person;
          await page.emulateMedia({ colorScheme: colour, reducedMotion: 'reduce' });
          await page.setViewportSize(kSizes[size]);
          await view.open();
          const where = `${name}, ${colour}, ${size}`;
          assert.equal(await view.person.sideways(), 0, `${where}: scrolls sideways`);
          assert.deepEqual(await violations(page), [], where);
          assert.deepEqual(await smallTargets(page), [], where);
          assert.deepEqual(await brokenWords(page), [], where);
          if (kFolder && size !== 'narrow') await picture(page, `${name}-${colour}-${size}`);
        }
        await scene.anna.page.setViewportSize(kPhone);
      });

    test('the page is small', () => {
      const files = filesOf(kPage).filter((file) => !file.endsWith('.gz'));
      const total = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
      console.log(`    compressed: ${total} bytes`);
      assert.ok(total <= kLimit, `${total} bytes`);
    });

    test('the page can be installed', async () => {
      const { anna } = scene;
      await anna.visit();
      const { errors } = await anna.devtools.send('Page.getAppManifest');
      assert.deepEqual(errors, []);
      const { installabilityErrors } = await anna.devtools.send('Page.getInstallabilityErrors');
      const others = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
      assert.deepEqual(others, []);
    });
  });
}

/// Words on buttons that go on in a second line.
async function brokenWords(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button')].flatMap((button) =>
      [...button.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE && /^\S+$/.test(node.data.trim()))
        .filter((node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1;
        })
        .map((node) => node.data),
    ),
  );
}

/// Each view by name: who looks at it, and how it is opened.
async function prepareViews({ anna, paula, world }, stranger) {
  const usual = await world.ask({
    host: { name: 'nas', group: 'home' },
    volumes: ['tank/home', 'tank/photos', 'tank/backup'],
  });
  const unusual = await world.ask({
    host: { name: 'db-3.fra', group: 'databases' },
    number: '83',
    address: '198.51.100.23',
    volumes: Array.from({ length: 14 }, (_, index) => `rpool/postgres/tablespace-${index + 1}`),
    compared: {
      first_from_address: true,
      kernel_changed: true,
      last_release: '2026-10-02T18:40:00Z',
      replaces_other_boot: false,
    },
    evidence: {
      boot_id: 'e7a1c6b0-2a43-4e0e-9d9f-7c5c0d6b1f11',
      kernel: '6.1.0-31-amd64',
      hostname: 'db-3.fra',
      uptime: 95,
      addresses: ['198.51.100.23', '2001:db8::23'],
      planned: false,
    },
  });
  const link = (id) => `#request=${encodeURIComponent(id)}`;
  const opened = (person, hash, ready) => ({
    person,
    open: async () => {
      await person.visit(hash);
      await person.page.locator(ready).first().waitFor();
    },
  });
  const denying = opened(anna, link(unusual), '.approve');
  const inviting = opened(anna, '#people', '.row');
  const asking = opened(anna, '#passkeys', '.row');
  return {
    'sign-in': opened(stranger, '', '.primary'),
    register: opened(stranger, '#register=AAAAAAAAAAAAAAAAAAAAAAAAAAA', '.primary'),
    code: opened(stranger, '#code', '.primary'),
    recover: opened(stranger, '#recover', '.primary'),
    requests: opened(anna, '#requests', '.approve'),
    request: opened(anna, link(unusual), '.approve'),
    'request-usual': opened(anna, link(usual), '.approve'),
    deny: { ...denying, open: () => denying.open().then(() => anna.button('Deny').click()) },
    history: opened(anna, '#history', '.row'),
    hosts: opened(anna, '#hosts', '.row'),
    passkeys: asking,
    dialog: { ...asking, open: () => asking.open().then(() => anna.button('Add a passkey').click()) },
    app: { person: anna, open: () => beginApp(anna) },
    codes: {
      ...asking,
      open: async () => {
        await asking.open();
        await anna.button(/Make (new ones|recovery codes)/).click();
        await anna.button('Make them').click();
        await anna.button('I have them on paper').waitFor();
      },
    },
    notifications: opened(paula, '#passkeys', '[data-subscription]'),
    people: inviting,
    invite: {
      ...inviting,
      open: async () => {
        await inviting.open();
        await anna.page.getByLabel('Name', { exact: true }).fill('Emil');
        await anna.button('Make a link').click();
        await anna.button('Copy').waitFor();
      },
    },
  };
}

async function violations(page) {
  await page.evaluate(kAxe);
  const { violations: found } = await page.evaluate(() => window.axe.run(document));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

/// What can be touched and is less than 44 pixels high or wide; links within a sentence are as high as the sentence.
function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('a, button, input, select, summary')]
      .filter((element) => element.checkVisibility() && getComputedStyle(element).display !== 'inline')
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.height < 43.5 || box.width < 43.5)
      .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
  );
}

async function picture(page, name) {
  mkdirSync(kFolder, { recursive: true });
  await page.screenshot({ path: join(kFolder, `${name}.png`) });
}

function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}
