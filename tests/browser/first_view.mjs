// How long a slow phone on a slow network takes to show an open request, as somebody who is signed in opens the link to it.
//   first_view.mjs BASE INVITE REQUEST
// prints for each network [{ name, cold: [{ paint, card }…], warm: […] }], milliseconds from the beginning of the navigation: `cold` with an
// empty cache, `warm` when the page was opened before.

import { launch, Person } from './person.mjs';

const kSlowdown = 4;
const kRounds = 5;
/// Bytes a second, and milliseconds to the first byte of each answer. The first is WebPageTest's "3G Fast", the others are those of
/// Chrome's developer tools.
const kNetworks = [
  { name: '3G Fast (150 ms, 1.6 Mbit/s)', latency: 150, down: 200_000, up: 96_000 },
  { name: 'Fast 3G of Chrome (562.5 ms, 1.44 Mbit/s)', latency: 562.5, down: 180_000, up: 84_375 },
  { name: 'Slow 3G of Chrome (2 s, 400 kbit/s)', latency: 2000, down: 50_000, up: 50_000 },
];

const [base, invite, request] = process.argv.slice(2);
const browser = await launch();
try {
  const person = await Person.open(browser, { base });
  await person.register(invite, 'passkey of the benchmark');
  await person.page.addInitScript(noteFirstCard);
  await person.devtools.send('Network.enable');
  await person.devtools.send('Emulation.setCPUThrottlingRate', { rate: kSlowdown });
  const measured = [];
  for (const network of kNetworks) measured.push(await measure(person, network));
  if (person.faults.length > 0) throw new Error(person.faults.join('\n'));
  console.log(JSON.stringify(measured));
} finally {
  await browser.close();
}

async function measure(person, { name, latency, down, up }) {
  await person.devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency,
    downloadThroughput: down,
    uploadThroughput: up,
  });
  const cold = [];
  const warm = [];
  for (let round = 0; round < kRounds; ++round) {
    await person.devtools.send('Network.clearBrowserCache');
    cold.push(await view(person));
    warm.push(await view(person));
  }
  return { name, cold, warm };
}

async function view(person) {
  await person.visit(`#request=${encodeURIComponent(request)}`);
  await person.card(request).waitFor();
  return person.page.evaluate(async () => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    card: await window.zkvFirstCard,
  }));
}

/// Runs in the page before its own scripts: when the frame after the first card's coming has begun.
function noteFirstCard() {
  window.zkvFirstCard = new Promise((resolve) => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('article[data-request]')) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame((now) => resolve(now)));
    }).observe(document, { subtree: true, childList: true });
  });
}
