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
  if (message.news === 'host-findings') {
    const name = shown(message.host, 'A host');
    return {
      title: `${name}: ${shown(message.words, 'its check found something')}`,
      body: `Its next boot may need you. See the hosts at ${gateway}.`,
      tag: `findings ${name}`,
      link: '#hosts',
    };
  }
  if (typeof message.news === 'string')
    return newsOf(message.news, shown(message.address, 'an unknown address'), gateway);
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
    title: message.drill === true ? `${host} asks for a drill` : `${host} asks for its key`,
    body: `Open to approve or deny it at ${gateway}.`,
    tag: `host ${host}`,
    link: linkTo(message.request),
  };
}

/// What happened to one's own ways in. Of a kind that this page does not know yet, that something did.
function newsOf(news: string, address: string, gateway: string): Notice {
  const titles: Record<string, string | undefined> = {
    'codes-locked': 'Wrong codes were given in your name',
    'recovery-used': 'One of your recovery codes was used',
  };
  const title = titles[news] ?? 'Something happened to your sign-in';
  return {
    title,
    body: `From ${address}, at ${gateway}. Was it you? If not, look at your passkeys now.`,
    tag: `news ${news}`,
    link: '#passkeys',
  };
}

function shown(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value ? cleanText(value, 60) : otherwise;
}

type Message = Partial<
  Record<'request' | 'host' | 'gateway' | 'news' | 'address' | 'drill' | 'words', unknown>
>;

function parsed(text: string): Message {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
