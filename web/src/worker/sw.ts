// The service worker: runs when a push message comes, also with the page closed, and shows it. It keeps nothing and fetches nothing.

import { noticeOf } from '../notice';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const { title, body, tag, link } = noticeOf(event.data?.text() ?? '');
  const options = {
    body,
    tag,
    renotify: true,
    requireInteraction: true,
    icon: '/icons/icon-192.png',
    data: { link },
  };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { link } = event.notification.data as { link: string };
  event.waitUntil(open(link));
});

/// Leads a page that is open there, or opens one.
async function open(link: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: 'window' });
  if (page) {
    page.postMessage({ link });
    await page.focus();
  } else {
    await self.clients.openWindow(`/${link}`);
  }
}
