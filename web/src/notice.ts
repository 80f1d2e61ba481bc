// What a push message shows: docs/protocol-v2.md, "Web Push". The host's name in it is a stranger's string.

import { linkTo } from './route';
import { cleanText } from './text';

export interface Notice {
  title: string;
  body: string;
  /// A newer one of the same tag takes its place.
  tag: string;
  /// Where a tap leads, within this page.
  link: string;
}

const kAtALoss: Notice = {
  title: 'A machine asks for its key',
  body: 'Open the page to see which.',
  tag: 'request',
  link: '#requests',
};

/// The notice for a message's text. A browser shows something for each message: also for one that cannot be read.
export function noticeOf(text: string): Notice {
  const message = parsed(text);
  const gateway = shown(message.gateway, 'the gateway');
  if (message.request === null)
    return {
      title: 'Notifications arrive here',
      body: `This was a test from ${gateway}.`,
      tag: 'test',
      link: '#passkeys',
    };
  if (typeof message.request !== 'string') return kAtALoss;
  const host = shown(message.host, 'A machine');
  return {
    title: `${host} asks for its key`,
    body: `Open to approve or deny it at ${gateway}.`,
    tag: `host ${host}`,
    link: linkTo(message.request),
  };
}

function shown(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value ? cleanText(value, 60) : otherwise;
}

type Message = Partial<Record<'request' | 'host' | 'gateway', unknown>>;

function parsed(text: string): Message {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
