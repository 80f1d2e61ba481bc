// Microsoft's own clients drive the Azure stand-in: what they accept, retry and refuse is what the stand-in must speak.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';

import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';

import { launch } from './lib/launch.mjs';

let azure;
let ca;

before(async () => {
  azure = await launch('azure.mjs');
  ca = readFileSync(azure.facts.ca, 'utf8');
});
after(() => azure.stop());
beforeEach(async () => {
  await azure.control('DELETE /faults');
  await azure.control('DELETE /requests');
  await azure.control('POST /settings', { tokenLifetime: 3599, announcedLifetime: null, clockAhead: 0 });
});

function credential({
  tenant = azure.facts.tenant,
  id = azure.facts.clientId,
  secret = azure.facts.clientSecret,
} = {}) {
  return new ClientSecretCredential(tenant, id, secret, {
    authorityHost: azure.facts.https,
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 5 },
  });
}

function client(options = {}) {
  return new SecretClient(azure.facts.https, options.credential ?? credential(), {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 5, ...options.retry },
  });
}

const requests = (match) => azure.control(`GET /requests?match=${encodeURIComponent(match)}`);
const statuses = async (match) => (await requests(match)).map((entry) => entry.status);
const fault = (rule) => azure.control('POST /faults', rule);
const scope = () => `${azure.facts.resource}/.default`;

describe('secrets', () => {
  it('a secret that was set is read back with its version, type, tags and attributes', async () => {
    const expiresOn = new Date('2040-01-01T00:00:00Z');
    const set = await client().setSecret('round-trip', 'välue', {
      contentType: 'text/plain',
      tags: { host: 'nas' },
      expiresOn,
    });
    const got = await client().getSecret('round-trip');
    assert.equal(got.value, 'välue');
    assert.equal(got.properties.version, set.properties.version);
    assert.match(got.properties.version, /^[0-9a-f]{32}$/);
    assert.equal(got.properties.contentType, 'text/plain');
    assert.deepEqual(got.properties.tags, { host: 'nas' });
    assert.deepEqual(got.properties.expiresOn, expiresOn);
    assert.equal(got.properties.enabled, true);
  });

  it('the newest version is the default, and an older one is still there by its name', async () => {
    const first = await client().setSecret('versions', 'one');
    await client().setSecret('versions', 'two');
    assert.equal((await client().getSecret('versions')).value, 'two');
    assert.equal((await client().getSecret('versions', { version: first.properties.version })).value, 'one');
    const listed = [];
    for await (const properties of client().listPropertiesOfSecretVersions('versions'))
      listed.push(properties.version);
    assert.equal(listed.length, 2);
  });

  it('a list longer than one page is read to its end', async () => {
    for (let i = 0; i < 30; i += 1) await azure.control('POST /secrets', { name: `paged-${i}`, value: 'x' });
    const names = new Set();
    for await (const properties of client().listPropertiesOfSecrets()) names.add(properties.name);
    for (let i = 0; i < 30; i += 1) assert.ok(names.has(`paged-${i}`), `paged-${i}`);
    assert.ok((await requests('skiptoken')).length > 0);
  });

  it('a disabled version is refused with SecretDisabled, and given again once enabled', async () => {
    const { properties } = await client().setSecret('disabled', 'v');
    await client().updateSecretProperties('disabled', properties.version, { enabled: false });
    await assert.rejects(client().getSecret('disabled'), (error) => {
      assert.equal(error.statusCode, 403);
      assert.equal(error.code, 'Forbidden');
      assert.equal(error.details.error.innerError.code, 'SecretDisabled');
      return true;
    });
    await client().updateSecretProperties('disabled', properties.version, { enabled: true });
    assert.equal((await client().getSecret('disabled')).value, 'v');
  });

  it('nbf and exp outside of today do not stop a read', async () => {
    await client().setSecret('ended', 'v', { expiresOn: new Date('2020-01-01T00:00:00Z') });
    await client().setSecret('future', 'v', { notBefore: new Date('2090-01-01T00:00:00Z') });
    assert.equal((await client().getSecret('ended')).properties.expiresOn.getUTCFullYear(), 2020);
    assert.equal((await client().getSecret('future')).properties.notBefore.getUTCFullYear(), 2090);
  });

  it('a missing secret is 404 SecretNotFound', async () => {
    await assert.rejects(client().getSecret('missing'), { statusCode: 404, code: 'SecretNotFound' });
  });

  it('an application without the permission gets 403 Forbidden', async () => {
    await azure.control('POST /secrets', { name: 'locked', value: 'v' });
    await azure.control('POST /settings', { permissions: ['list'] });
    await assert.rejects(client().getSecret('locked'), { statusCode: 403, code: 'Forbidden' });
    await azure.control('POST /settings', {
      permissions: ['get', 'list', 'set', 'delete', 'recover', 'purge'],
    });
    assert.equal((await client().getSecret('locked')).value, 'v');
  });

  it('a deleted secret is gone, keeps its name taken, and can be recovered and purged', async () => {
    await client().setSecret('deleted', 'v');
    await (await client().beginDeleteSecret('deleted', { intervalInMs: 1 })).pollUntilDone();
    await assert.rejects(client().getSecret('deleted'), { code: 'SecretNotFound' });
    await assert.rejects(client().setSecret('deleted', 'w'), { statusCode: 409, code: 'Conflict' });
    await (await client().beginRecoverDeletedSecret('deleted', { intervalInMs: 1 })).pollUntilDone();
    assert.equal((await client().getSecret('deleted')).value, 'v');
    await (await client().beginDeleteSecret('deleted', { intervalInMs: 1 })).pollUntilDone();
    await client().purgeDeletedSecret('deleted');
    await assert.rejects(client().getDeletedSecret('deleted'), { statusCode: 404 });
  });
});

describe('tokens', () => {
  it('the first request goes without a token and is answered by a challenge', async () => {
    await azure.control('POST /secrets', { name: 'challenge', value: 'v' });
    await client().getSecret('challenge');
    const [first, second] = await requests('/secrets/challenge');
    assert.equal(first.status, 401);
    assert.equal(first.headers.authorization, undefined);
    assert.equal(second.status, 200);
    assert.match(second.headers.authorization, /^Bearer /);
  });

  it('one token serves many reads while it lives', async () => {
    await azure.control('POST /secrets', { name: 'cached', value: 'v' });
    const one = client();
    await one.getSecret('cached');
    await one.getSecret('cached');
    await one.getSecret('cached');
    assert.equal((await requests('/oauth2/v2.0/token')).length, 1);
  });

  it('a token that ended is renewed by the client, and the old one is refused', async () => {
    await azure.control('POST /secrets', { name: 'renewed', value: 'v' });
    await azure.control('POST /settings', { tokenLifetime: 60, announcedLifetime: 0 });
    const one = client();
    await one.getSecret('renewed');
    await azure.control('POST /settings', { clockAhead: 100 });
    assert.equal((await one.getSecret('renewed')).value, 'v');
    assert.deepEqual(await statuses('/oauth2/v2.0/token'), [200, 200]);
    const tokens = (await requests('/secrets/renewed'))
      .filter((entry) => entry.status === 200)
      .map((entry) => entry.headers.authorization);
    assert.notEqual(tokens[0], tokens[1]);
    const old = await fetch(`${azure.facts.http}/secrets/renewed?api-version=7.4`, {
      headers: { authorization: tokens[0] },
    });
    assert.equal(old.status, 401);
  });

  for (const [what, change, code, status] of [
    ['a wrong client secret', { secret: 'wrong' }, 'AADSTS7000215', 401],
    ['an unknown application', { id: '00000000-0000-0000-0000-000000000000' }, 'AADSTS700016', 400],
    [
      'an unknown tenant',
      { tenant: '11111111-0000-0000-0000-000000000000' },
      'endpoints_resolution_error',
      400,
    ],
  ]) {
    it(`${what} is refused with ${code}`, async () => {
      await assert.rejects(credential(change).getToken(scope()), new RegExp(code));
      assert.equal((await requests('/')).at(-1).status, status);
    });
  }

  it('a scope without /.default, and one of another resource, are refused', async () => {
    await assert.rejects(
      credential().getToken('https://vault.azure.net/user_impersonation'),
      /AADSTS1002012/,
    );
    await assert.rejects(credential().getToken('https://graph.example/.default'), /AADSTS500011/);
  });

  it('an expired client secret is named as such', async () => {
    await fault({ match: '/token', fault: 'expired' });
    await assert.rejects(credential().getToken(scope()), /AADSTS7000222/);
  });
});

describe('faults', () => {
  before(() => azure.control('POST /secrets', { name: 'flaky', value: 'v' }));

  it('429 with Retry-After is retried after that time', async () => {
    await fault({ match: 'GET /secrets/flaky', fault: '429', retryAfter: 1, skip: 1 });
    const before = Date.now();
    assert.equal((await client().getSecret('flaky')).value, 'v');
    assert.ok(Date.now() - before >= 990, 'waited for Retry-After');
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
    const before = Date.now();
    assert.equal((await client().getSecret('flaky')).value, 'v');
    assert.ok(Date.now() - before >= 290);
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

  const bare = (options) => fetch(`${azure.facts.http}/secrets/flaky?api-version=7.4`, options);

  it('an answer that stops halfway keeps its reader waiting', async () => {
    await fault({ pattern: '^GET /secrets/fl.ky', fault: 'stall' });
    const answer = await bare({ signal: AbortSignal.timeout(200) });
    assert.equal(answer.status, 401);
    await assert.rejects(answer.text(), { name: 'TimeoutError' });
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

describe('the bare protocol', () => {
  const token = async () => (await credential().getToken(scope())).token;
  const get = async (path, headers) => {
    const answer = await fetch(azure.facts.http + path, { headers });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  before(() => azure.control('POST /secrets', { name: 'bare', value: 'v' }));

  it('a request without a token is told where to get one', async () => {
    const { status, headers, body } = await get('/secrets/bare?api-version=7.4');
    assert.equal(status, 401);
    assert.equal(body.error.code, 'Unauthorized');
    assert.equal(
      headers.get('www-authenticate'),
      `Bearer authorization="${azure.facts.http}/${azure.facts.tenant}", resource="${azure.facts.resource}"`,
    );
  });

  it('a trailing slash and api%2Dversion are tolerated, a missing or unknown version is not', async () => {
    const headers = { authorization: `Bearer ${await token()}` };
    assert.equal((await get('/secrets/bare/?api%2Dversion=7.4', headers)).body.value, 'v');
    assert.equal((await get('/secrets/bare?api-version=2016-10-01', headers)).body.value, 'v');
    assert.equal((await get('/secrets/bare', headers)).status, 400);
    assert.equal((await get('/secrets/bare?api-version=1.0', headers)).body.error.code, 'BadParameter');
  });

  it('a revoked, a forged and an expired token are 401', async () => {
    const revoked = { authorization: `Bearer ${await token()}` };
    await azure.control('POST /tokens/end');
    assert.match((await get('/secrets/bare?api-version=7.4', revoked)).body.error.message, /TokenExpired/);
    const fresh = { authorization: `Bearer ${await token()}` };
    assert.equal((await get('/secrets/bare?api-version=7.4', fresh)).status, 200);
    assert.equal(
      (await get('/secrets/bare?api-version=7.4', { authorization: `${fresh.authorization}x` })).status,
      401,
    );
    await azure.control('POST /settings', { clockAhead: 3600 });
    const { status, headers } = await get('/secrets/bare?api-version=7.4', fresh);
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate'), /error="invalid_token"/);
  });
});
