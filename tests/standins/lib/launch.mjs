// Starts a stand-in as a child for the checks, and steers it by its control interface.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/// Starts `program` (a file beside this folder) and returns { facts, control(route, body), stop() }.
/// The stand-in ends with this process, whatever happens to it.
export async function launch(program) {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => failed(program))]);
  const facts = JSON.parse(line);
  return {
    facts,
    control: (route, body) => control(facts.control, route, body),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

function failed(program) {
  throw new Error(`${program} ended before it told its addresses`);
}

/// One call of a control interface: `route` is "METHOD /path?query", `body` goes as JSON. Throws what it refuses.
async function control(address, route, body) {
  const [method, path] = route.split(' ');
  const answer = await fetch(address + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}
