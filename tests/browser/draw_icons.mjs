// Draws the page's PNG icons anew from web/public/icons/icon.svg, with Chromium, and makes them small with pngquant and optipng.
// To be run by hand when the sign changes: node draw_icons.mjs

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { launch } from './person.mjs';

const kFolder = fileURLToPath(new URL('../../web/public/icons/', import.meta.url));
const kIcons = [
  { file: 'icon-180.png', size: 180, square: true },
  { file: 'icon-192.png', size: 192, square: false },
  { file: 'icon-512.png', size: 512, square: false },
  { file: 'maskable-512.png', size: 512, square: true },
];

const browser = await launch();
const drawing = readFileSync(`${kFolder}icon.svg`, 'utf8');
for (const { file, size, square } of kIcons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const svg = square ? drawing.replace(/ rx="\d+"/, '') : drawing;
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px}</style>${svg}`);
  await page.screenshot({ path: kFolder + file, omitBackground: true });
  await page.close();
  execFileSync('pngquant', ['--force', '--ext', '.png', '16', kFolder + file]);
  execFileSync('optipng', ['-quiet', '-o7', '-strip', 'all', kFolder + file]);
}
await browser.close();
