// Puts the page into the document, once it is known who is there and what waits: a phone that is slow draws it once then, not
// three times.

import { render } from 'preact';

import { App, findOut } from './app';
import { followNotifications } from './push';
import { askEarly } from './requests';
import './style.css';

async function start(root: HTMLElement): Promise<void> {
  const [found] = await Promise.all([findOut(), askEarly()]);
  root.replaceChildren();
  render(<App start={found} />, root);
}

followNotifications();
const root = document.getElementById('app');
if (root) void start(root);
