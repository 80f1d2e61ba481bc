// Notifications: turned on by a tap, shown by the service worker when a message comes, and leading to the card. The browser's push
// service is out of reach here: what it gives for a subscription comes from the test, and what it delivers, by DevTools.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { invited } from './people.mjs';

/// In the page, before anything of it runs: subscriptions come from the test, which keeps the one of this browser too. (What a page
/// keeps itself can be lost when it is left at once.)
function playPushService() {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
  const subscriptionOf = ({ endpoint, p256dh, auth, key }) => ({
    endpoint,
    options: { applicationServerKey: bytes(key).buffer },
    getKey: (name) => bytes({ p256dh, auth }[name]).buffer,
    unsubscribe: async () => {
      await window.zkvUnsubscribe();
      return true;
    },
  });
  PushManager.prototype.getSubscription = async () => {
    const kept = await window.zkvSubscription();
    return kept && subscriptionOf(kept);
  };
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new Error('a browser wants userVisibleOnly');
    const key = btoa(String.fromCharCode(...applicationServerKey))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');
    return subscriptionOf(await window.zkvSubscribe(key));
  };
  const ask = Notification.requestPermission.bind(Notification);
  window.zkvAsked = 0;
  Notification.requestPermission = () => {
    window.zkvAsked += 1;
    return ask();
  };
}

const workerOf = ({ context }) => context.serviceWorkers()[0] ?? context.waitForEvent('serviceworker');

/// Delivers a push message to the page's worker, as the browser's push service would, and returns when it has been shown.
async function deliver(person, data) {
  const { devtools, base } = person;
  const worker = await workerOf(person);
  const before = await worker.evaluate(countShown);
  const registered = new Promise((resolve) =>
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL, isDeleted }) => scopeURL.startsWith(base) && !isDeleted);
      if (found) resolve(found.registrationId);
    }),
  );
  await devtools.send('ServiceWorker.enable');
  const registrationId = await registered;
  await devtools.send('ServiceWorker.deliverPushMessage', { origin: base, registrationId, data });
  await devtools.send('ServiceWorker.disable');
  await worker.evaluate(
    (seen) =>
      new Promise((resolve) => {
        if (self.zkvShown > seen) resolve();
        self.addEventListener('zkv-shown', resolve, { once: true });
      }),
    before,
  );
}

/// In the worker: how many notifications it has shown since this was first asked.
function countShown() {
  if ('zkvShown' in self) return self.zkvShown;
  const show = self.registration.showNotification.bind(self.registration);
  self.registration.showNotification = async (...notice) => {
    await show(...notice);
    self.zkvShown += 1;
    self.dispatchEvent(new Event('zkv-shown'));
  };
  return (self.zkvShown = 0);
}

/// The notifications that the browser shows with `wanted` in the title. Not to be asked while one is being shown: Chromium then
/// forgets it, as its platform does not show it yet.
function shown({ page }, wanted) {
  return page.evaluate(async (title) => {
    const all = await (await navigator.serviceWorker.ready).getNotifications();
    return all
      .filter((one) => one.title.includes(title))
      .map(({ title, body, tag, data }) => ({ title, body, tag, data }));
  }, wanted);
}

const linksOf = (notices) => notices.map(({ data }) => data.link);

/// A tap on the notification with this title: browsers let only people tap, so that the worker's own listener is called with an
/// event of the test's, which keeps what the worker waits for.
function tap(worker, title) {
  return worker.evaluate(async (wanted) => {
    const all = await self.registration.getNotifications();
    const event = new NotificationEvent('notificationclick', {
      notification: all.find((one) => one.title.includes(wanted)),
    });
    const waited = [];
    Object.defineProperty(event, 'waitUntil', { value: (promise) => waited.push(promise) });
    self.dispatchEvent(event);
    await Promise.allSettled(waited);
  }, title);
}

export function push(scene) {
  describe('notifications', { timeout: 120_000 }, () => {
    let paula;
    let subscription = null;

    before(async () => {
      paula = scene.paula = await invited(scene, 'Paula');
      await paula.context.grantPermissions(['notifications'], { origin: scene.world.base });
      await paula.context.exposeFunction('zkvSubscribe', async (key) => {
        subscription = { key, ...(await scene.world.subscribe(key)) };
        return subscription;
      });
      await paula.context.exposeFunction('zkvSubscription', () => subscription);
      await paula.context.exposeFunction('zkvUnsubscribe', () => (subscription = null));
      await paula.context.addInitScript(playPushService);
      await paula.visit('#passkeys');
    });
    after(() => assert.deepEqual(paula.faults, []));

    const own = () => paula.page.locator('[data-subscription]', { hasText: 'this device' });

    test('nothing is asked for before a tap, then this device is on the list', async () => {
      await paula.button('Turn on').waitFor();
      assert.equal(await paula.page.evaluate(() => window.zkvAsked), 0);
      assert.equal(
        await paula.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length),
        0,
      );
      await paula.button('Turn on').click();
      await own().waitFor();
      assert.equal(await paula.page.evaluate(() => window.zkvAsked), 1);
      await paula.page.getByText('Turned on. Send a test to see it.').waitFor();
    });

    test('the worker is served as a script that is asked for anew each time', async () => {
      const { headers, status } = await paula.page.evaluate(async () => {
        const answer = await fetch('/sw.js');
        return { status: answer.status, headers: Object.fromEntries(answer.headers) };
      });
      assert.equal(status, 200);
      assert.match(headers['content-type'], /^text\/javascript/);
      assert.equal(headers['cache-control'], 'no-cache');
      assert.match(headers['content-security-policy'], /worker-src 'self'/);
    });

    test('a host’s ask is shown by its name, and a tap leads the open page to its card', async () => {
      const id = await scene.world.ask({ host: { name: 'pushed', group: 'home' } });
      await deliver(paula, await scene.world.messageTo(subscription, id));
      const [notice] = await shown(paula, 'pushed');
      assert.match(notice.title, /^pushed[-\w]* asks for its key$/);
      assert.match(notice.body, /^Open to approve or deny it at ./);
      assert.equal(notice.data.link, `#request=${encodeURIComponent(id)}`);
      await tap(await workerOf(paula), 'pushed');
      await paula.card(id).waitFor();
      assert.deepEqual(await shown(paula, 'pushed'), []);
    });

    test('with no page open a tap opens one at the card', async () => {
      const message = { request: '7F3K', host: 'closed', gateway: 'gw', expires: '2026-11-25T12:00:00Z' };
      await deliver(paula, JSON.stringify(message));
      const worker = await workerOf(paula);
      await worker.evaluate(() => {
        self.clients.matchAll = async () => [];
        self.clients.openWindow = async (address) => void (self.opened = address);
      });
      await tap(worker, 'closed');
      assert.equal(await worker.evaluate(() => self.opened), '/#request=7F3K');
    });

    test('a newer message about a host takes the place of the older one', async () => {
      const message = { request: 'FIRST', host: 'twice', gateway: 'gw', expires: '2026-11-25T12:00:00Z' };
      await deliver(paula, JSON.stringify(message));
      assert.deepEqual(linksOf(await shown(paula, 'twice')), ['#request=FIRST']);
      await deliver(paula, JSON.stringify({ ...message, request: 'SECOND' }));
      await deliver(paula, JSON.stringify({ ...message, host: 'other' }));
      assert.deepEqual(linksOf(await shown(paula, 'twice')), ['#request=SECOND']);
      assert.equal((await shown(paula, 'other')).length, 1);
    });

    test('what cannot be read is shown as well, and a hostile name changes nothing', async () => {
      await deliver(paula, 'nonsense');
      assert.equal((await shown(paula, 'A machine asks for its key')).length, 1);
      await deliver(
        paula,
        JSON.stringify({ request: '//evil.example', host: 'a\u202eb\nc', gateway: '<b>', expires: '' }),
      );
      const [notice] = await shown(paula, 'U+202E');
      assert.equal(notice.title, 'a‹U+202E›b‹U+000A›c asks for its key');
      assert.equal(notice.data.link, '#request=%2F%2Fevil.example');
    });

    test('it survives a reload, sends a test, is turned off and on again', async () => {
      await paula.visit('#passkeys');
      await own().waitFor();
      await paula.button('Send a test').click();
      await paula.page.getByText('A test is on its way').waitFor();
      await paula.button('Turn off').click();
      await paula.page.getByText('Turned off.').waitFor();
      await paula.page.locator('[data-subscription]').waitFor({ state: 'detached' });
      assert.equal(
        await paula.page.evaluate(async () =>
          (await navigator.serviceWorker.ready).pushManager.getSubscription(),
        ),
        null,
      );
      await paula.button('Turn on').click();
      await own().waitFor();
    });

    test('another device of one’s own is removed from here', async () => {
      const { endpoint, p256dh, auth } = await scene.world.subscribe(
        await paula.page.evaluate(async () => (await (await fetch('/v2/push/key')).json()).key),
      );
      const body = JSON.stringify({ endpoint, p256dh, auth, label: 'Lost phone' });
      await paula.page.evaluate(
        (text) =>
          fetch('/v2/push/subscriptions', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: text,
          }),
        body,
      );
      await paula.visit('#passkeys');
      await paula.button('Remove Lost phone').click();
      await paula.page
        .locator('[data-subscription]', { hasText: 'Lost phone' })
        .waitFor({ state: 'detached' });
      await own().waitFor();
    });

    test('who says no to the browser is told so, calmly', async () => {
      const paul = await invited(scene, 'Paul');
      await paul.context.addInitScript(() => {
        Object.defineProperty(Notification, 'permission', { get: () => 'default' });
        Notification.requestPermission = async () => 'denied';
      });
      await paul.visit('#passkeys');
      await paul.button('Turn on').click();
      await paul.page.locator('.note.calm', { hasText: 'told not to show' }).waitFor();
      await paul.context.addInitScript(() =>
        Object.defineProperty(Notification, 'permission', { get: () => 'denied' }),
      );
      await paul.visit('#passkeys');
      await paul.page.getByText('The browser blocks notifications of this page.').waitFor();
      assert.deepEqual(paul.faults, []);
      await paul.context.close();
    });

    test('a browser that cannot says so, and an iPhone how it can', async () => {
      const peter = await invited(scene, 'Peter');
      await peter.context.addInitScript(() => delete window.PushManager);
      await peter.visit('#passkeys');
      await peter.page.getByText('This browser cannot show notifications of a page.').waitFor();
      await peter.context.addInitScript(() =>
        Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone)' }),
      );
      await peter.visit('#passkeys');
      await peter.page.getByText('tap Share, then Add to Home Screen').waitFor();
      assert.deepEqual(peter.faults, []);
      await peter.context.close();
    });
  });
}
