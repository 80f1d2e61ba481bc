// Notifications on this device: what the browser can, asking for its permission, and telling the gateway where to send.

import { api } from './api';
import { decode, encode } from './base64url';
import { deviceName } from './passkey';
import type { Subscription } from './protocol';

/// Why there are no notifications, in words. `calm`: the person said no, which is no error.
export class PushFailure extends Error {
  constructor(
    message: string,
    readonly calm = false,
  ) {
    super(message);
  }
}

/// Why this browser cannot show notifications; null where it can.
export function whyUnable(): string | null {
  if ('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window) return null;
  const isApple =
    /iPhone|iPad/.test(navigator.userAgent) ||
    (navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1);
  return isApple
    ? 'On an iPhone or iPad notifications work from the home screen only: tap Share, then Add to Home Screen, and open this page from there.'
    : 'This browser cannot show notifications of a page. Open it over https, in a recent browser, outside a private window.';
}

/// Whether the person has told the browser not to ask again.
export function isBlocked(): boolean {
  return Notification.permission === 'denied';
}

/// The hash by which the gateway calls this browser's subscription; null without one.
export async function ownHash(): Promise<string | null> {
  if (whyUnable() !== null) return null;
  const subscription = await (await navigator.serviceWorker.getRegistration())?.pushManager.getSubscription();
  if (!subscription) return null;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(subscription.endpoint));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/// Asks for permission, subscribes, and tells the gateway. To be called by a tap. Throws `PushFailure`, and as `api`.
export async function turnOn(): Promise<Subscription> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new PushFailure('The browser was told not to show notifications of this page.', true);
  const registration = await navigator.serviceWorker.register(workerAddress());
  await navigator.serviceWorker.ready;
  const subscription = await subscribe(registration.pushManager, decode(await api.pushKey()));
  try {
    return await api.subscribe(detailsOf(subscription), deviceName(navigator.userAgent));
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
}

/// Ends it in this browser.
export async function turnOff(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/// Follows where a notification that was tapped leads, while the page is open.
export function followNotifications(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const link = (data as { link?: unknown } | null)?.link;
    if (typeof link === 'string' && link.startsWith('#')) location.hash = link;
  });
}

/// A subscription that is bound to another key, as of a gateway from before, gives way.
async function subscribe(manager: PushManager, key: Uint8Array<ArrayBuffer>): Promise<PushSubscription> {
  const before = await manager.getSubscription();
  const bound = before?.options.applicationServerKey;
  if (before && (!bound || encode(bound) !== encode(key))) await before.unsubscribe();
  try {
    return await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    throw new PushFailure('The browser’s push service cannot be reached. Try again later.');
  }
}

function detailsOf(subscription: PushSubscription): { endpoint: string; p256dh: string; auth: string } {
  const key = subscription.getKey('p256dh');
  const auth = subscription.getKey('auth');
  if (!key || !auth) throw new PushFailure('This browser’s push messages cannot be encrypted.');
  return { endpoint: subscription.endpoint, p256dh: encode(key), auth: encode(auth) };
}

interface TrustedTypes {
  createPolicy: (
    name: string,
    rules: { createScriptURL: () => string },
  ) => { createScriptURL: (text: string) => string };
}

/// The worker's address in the form that the page's policy asks for: this one, and no other.
function workerAddress(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('zkv-worker', { createScriptURL: () => '/sw.js' });
  return policy?.createScriptURL('') ?? '/sw.js';
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;
