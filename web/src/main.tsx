// Puts the page into the document.

import { render } from 'preact';

import { App } from './app';
import { followNotifications } from './push';
import './style.css';

followNotifications();
const root = document.getElementById('app');
if (root) render(<App />, root);
