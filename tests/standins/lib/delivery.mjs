// Sends an answer over the wire, whole or spoilt in the way that a fault asks for.

import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

const kEndlessChunk = Buffer.alloc(64 * 1024, 0x20);

/// Sends `answer` to `outgoing`. `rule` is the fault to carry out, or null.
/// Returns once the answer is handed over or the connection is gone.
export async function deliver(outgoing, answer, rule) {
  if (rule?.delayMs > 0) await delay(rule.delayMs);
  if (outgoing.destroyed) return;
  switch (rule?.fault) {
    case 'hang':
      return goneAway(outgoing);
    case 'drop':
      return void outgoing.destroy();
    case 'cut':
      return sendHalf(outgoing, answer, () => outgoing.destroy());
    case 'stall':
      return sendHalf(outgoing, answer, () => goneAway(outgoing));
    case 'garbage':
      return send(outgoing, { ...answer, status: 200, body: '<html>a proxy answers</html>' });
    case 'empty':
      return send(outgoing, { ...answer, status: 200, body: '' });
    case 'redirect':
      return send(outgoing, { status: 307, headers: { Location: rule.location }, body: '' });
    case 'endless':
      return sendEndless(outgoing, answer);
    default:
      return send(outgoing, answer);
  }
}

function send(outgoing, answer) {
  outgoing.writeHead(answer.status, headersOf(answer));
  outgoing.end(answer.body);
}

/// Announces the whole body, sends half of it, then does `then`.
async function sendHalf(outgoing, answer, then) {
  outgoing.writeHead(answer.status, headersOf(answer));
  const half = answer.body.slice(0, Math.floor(answer.body.length / 2));
  await new Promise((resolve) => outgoing.write(half, resolve));
  await then();
}

/// Goes on until the reader leaves, which is the only way it ends.
async function sendEndless(outgoing, answer) {
  outgoing.writeHead(200, answer.headers);
  await pipeline(Readable.from(endlessChunks()), outgoing).catch(() => {});
}

function* endlessChunks() {
  for (;;) yield kEndlessChunk;
}

async function goneAway(outgoing) {
  if (!outgoing.destroyed) await once(outgoing, 'close');
}

function headersOf(answer) {
  if (answer.status === 204) return answer.headers;
  return { ...answer.headers, 'Content-Length': Buffer.byteLength(answer.body) };
}
