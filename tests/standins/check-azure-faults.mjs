// Microsoft's own clients meet the stand-in's faults: what they retry, wait for and refuse.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { clientOf, helpersOf } from './lib/azure-client.mjs';
import { launch } from './lib/launch.mjs';

const azure = await launch('azure.mjs');
after(() => azure.stop());

const { fault, put, reset, statuses } = helpersOf(azure);
beforeEach(reset);

const client = () => clientOf(azure);

describe('faults', () => {
  before(() => put('flaky'));

  it('429 with Retry-After is retried after that time', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: '429', retryAfter: 1, skip: 1 });
    const start = Date.now();
    assert.equal((await client().getSecret('flaky')).value, 'v');
    assert.ok(Date.now() - start >= 990, 'waited for Retry-After');
    assert.deepEqual(await statuses('/secrets/flaky'), [401, 429, 200]);
  });

  it('429 without end is handed to the caller as Throttled', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: '429', times: 10 });
    await assert.rejects(client().getSecret('flaky'), { statusCode: 429, code: 'Throttled' });
  });

  for (const status of [500, 502, 503, 504]) {
    it(`${status} is retried`, async () => {
      await fault({ match: 'GET /secrets/flaky', fault: String(status), times: 2 });
      assert.equal((await client().getSecret('flaky')).value, 'v');
      assert.deepEqual((await statuses('/secrets/flaky')).slice(0, 2), [status, status]);
    });
  }

  it('an answer cut off in the middle is an error, never half a secret', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'cut', skip: 1, times: 10 });
    await assert.rejects(client().getSecret('flaky'));
  });

  it('a connection dropped before the answer is retried', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'drop' });
    assert.equal((await client().getSecret('flaky')).value, 'v');
  });

  it('a slow answer arrives, late', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'slow', delayMs: 300 });
    const start = Date.now();
    assert.equal((await client().getSecret('flaky')).value, 'v');
    assert.ok(Date.now() - start >= 290);
  });

  it('an answer that never comes ends with the time limit of the caller', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'hang', times: 10 });
    await assert.rejects(client().getSecret('flaky', { abortSignal: AbortSignal.timeout(200) }), {
      name: 'AbortError',
    });
  });

  it('a token endpoint that fails for a moment is retried', async () => {
    await fault({ match: '/oauth2/v2.0/token', fault: '503', times: 1 });
    assert.equal((await client().getSecret('flaky')).value, 'v');
    assert.deepEqual(await statuses('/oauth2/v2.0/token'), [503, 200]);
  });

  it('storing, deleting and purging meet the same faults, and a try whose answer is lost has acted', async () => {
    await fault({ match: 'PUT /secrets/rewritten', fault: '503' });
    await client().setSecret('rewritten', 'v');
    await fault({ match: 'DELETE /secrets/rewritten', fault: '429', retryAfter: 1 });
    await (await client().beginDeleteSecret('rewritten', { intervalInMs: 20 })).pollUntilDone();
    await fault({ match: 'DELETE /deletedsecrets/rewritten', fault: 'drop', skip: 1 });
    await assert.rejects(client().purgeDeletedSecret('rewritten'), { code: 'SecretNotFound' });
    assert.deepEqual((await statuses('DELETE /secrets/rewritten')).slice(0, 2), [429, 401]);
  });

  const bare = (options) => fetch(`${azure.facts.http}/secrets/flaky?api-version=7.4`, options);

  it('an answer that stops halfway keeps its reader waiting', async () => {
    await fault({ pattern: '^GET /secrets/fl.ky', fault: 'stall' });
    const reader = (await bare()).body.getReader();
    assert.equal((await reader.read()).done, false);
    const more = reader.read().then(() => 'more');
    assert.equal(await Promise.race([more, delay(200, 'nothing')]), 'nothing');
    await reader.cancel();
  });

  it('an answer without end goes on for as long as somebody reads', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'endless' });
    const reader = (await bare()).body.getReader();
    let bytes = 0;
    while (bytes < 4 << 20) bytes += (await reader.read()).value.length;
    await reader.cancel();
  });

  it('a proxy in between may answer with something else, nothing, or another address', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: 'garbage' });
    await fault({ match: 'GET /secrets/flaky', fault: 'empty' });
    await fault({ match: 'GET /secrets/flaky', fault: 'redirect', location: 'http://127.0.0.2:9/' });
    assert.match(await (await bare()).text(), /^<html>/);
    assert.equal(await (await bare()).text(), '');
    const redirect = await bare({ redirect: 'manual' });
    assert.equal(redirect.status, 307);
    assert.equal(redirect.headers.get('location'), 'http://127.0.0.2:9/');
  });

  it('a fault that nobody would carry out is refused when it is asked for', async () => {
    await assert.rejects(fault({ fault: 'sloww' }), /no such fault/);
    await assert.rejects(fault({ fault: '500', time: 3 }), /no field 'time'/);
  });
});
