// Microsoft's own clients read and write secrets by the stand-in: what they accept is what it must speak.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { clientOf, credentialOf, helpersOf } from './lib/azure-client.mjs';
import { launch } from './lib/launch.mjs';

const azure = await launch('azure.mjs');
after(() => azure.stop());

const { fault, put, requests, reset, statuses } = helpersOf(azure);
beforeEach(reset);

const client = () => clientOf(azure);
const credential = (change) => credentialOf(azure, change);
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
    for (let i = 0; i < 30; i += 1) await put(`paged-${i}`);
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
    await put('locked');
    await azure.control('POST /settings', { permissions: ['list'] });
    await assert.rejects(client().getSecret('locked'), { statusCode: 403, code: 'Forbidden' });
    await azure.control('POST /settings', {
      permissions: ['get', 'list', 'set', 'delete', 'recover', 'purge'],
    });
    assert.equal((await client().getSecret('locked')).value, 'v');
  });

  it('the firewall of the vault refuses in its own words', async () => {
    await put('walled');
    await fault({ match: '/secrets/walled', fault: 'firewall' });
    await assert.rejects(client().getSecret('walled'), (error) => {
      assert.equal(error.statusCode, 403);
      assert.equal(error.details.error.innerError.code, 'ForbiddenByFirewall');
      return true;
    });
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

describe('deletion', () => {
  const destroy = async (name) => {
    const poller = await client().beginDeleteSecret(name, { intervalInMs: 20 });
    return poller.pollUntilDone();
  };

  it('a deleted secret tells when it was deleted, when it will be purged, and how to bring it back', async () => {
    await client().setSecret('dated', 'v');
    const deleted = await destroy('dated');
    const days = (deleted.properties.scheduledPurgeDate - deleted.properties.deletedOn) / 86_400_000;
    assert.equal(days, 90);
    assert.equal(deleted.properties.recoveryId, `${azure.facts.https}/deletedsecrets/dated`);
    assert.equal(deleted.properties.recoveryLevel, 'Recoverable+Purgeable');
    assert.equal(deleted.value, undefined);
    assert.equal((await client().getDeletedSecret('dated')).properties.recoverableDays, 90);
  });

  it('the client polls until the deletion is done, and a purge before that is a conflict', async () => {
    await client().setSecret('slow-deletion', 'v');
    await azure.control('POST /settings', { deletionTime: 3_600_000 });
    const poller = await client().beginDeleteSecret('slow-deletion', { intervalInMs: 20 });
    await assert.rejects(client().purgeDeletedSecret('slow-deletion'), (error) => {
      assert.equal(error.statusCode, 409);
      assert.equal(error.details.error.innerError.code, 'ObjectIsBeingDeleted');
      return true;
    });
    const done = poller.pollUntilDone();
    const looks = async () =>
      (await statuses('GET /deletedsecrets/slow-deletion')).filter((status) => status === 404);
    while ((await looks()).length < 2) await delay(5);
    await azure.control('POST /settings', { deletionTime: 0 });
    await done;
    await client().purgeDeletedSecret('slow-deletion');
    const purges = await statuses('DELETE /deletedsecrets/slow-deletion');
    assert.deepEqual(
      purges.filter((status) => status !== 401),
      [409, 204],
    );
  });

  it('a purged name is seen nowhere, and is free again only when the purge is done', async () => {
    await client().setSecret('slow-purge', 'v');
    await destroy('slow-purge');
    await azure.control('POST /settings', { purgeTime: 3_600_000 });
    await client().purgeDeletedSecret('slow-purge');
    await assert.rejects(client().getDeletedSecret('slow-purge'), { code: 'SecretNotFound' });
    await assert.rejects(client().setSecret('slow-purge', 'w'), /being deleted and cannot be re-created/);
    await azure.control('POST /settings', { purgeTime: 0 });
    await client().setSecret('slow-purge', 'w');
    assert.equal((await client().getSecret('slow-purge')).value, 'w');
  });

  it('deleting, looking at and purging what is not there is 404 SecretNotFound', async () => {
    const missing = { statusCode: 404, code: 'SecretNotFound' };
    await assert.rejects(client().beginDeleteSecret('never'), missing);
    await assert.rejects(client().getDeletedSecret('never'), missing);
    await assert.rejects(client().purgeDeletedSecret('never'), missing);
  });

  it('a vault with purge protection deletes, says so in its recovery level, and refuses to purge', async () => {
    await azure.control('POST /settings', { purgeProtection: true });
    await client().setSecret('protected', 'v');
    assert.equal((await destroy('protected')).properties.recoveryLevel, 'Recoverable');
    await assert.rejects(client().purgeDeletedSecret('protected'), (error) => {
      assert.equal(error.statusCode, 403);
      assert.equal(error.code, 'Forbidden');
      assert.match(error.message, /purge protection is enabled/);
      return true;
    });
    assert.equal((await client().getDeletedSecret('protected')).name, 'protected');
  });

  for (const [permission, act] of [
    ['set', () => client().setSecret('guarded', 'w')],
    ['delete', () => client().beginDeleteSecret('guarded')],
    ['purge', () => client().purgeDeletedSecret('guarded')],
  ]) {
    it(`the fault 'forbidden' names the permission ${permission}`, async () => {
      await fault({ match: 'secrets/guarded', fault: 'forbidden' });
      await assert.rejects(act(), new RegExp(`does not have secrets ${permission} permission`));
    });
  }
});

describe('tokens', () => {
  it('the first request goes without a token and is answered by a challenge', async () => {
    await put('challenge');
    await client().getSecret('challenge');
    const [first, second] = await requests('/secrets/challenge');
    assert.equal(first.status, 401);
    assert.equal(first.headers.authorization, undefined);
    assert.equal(second.status, 200);
    assert.match(second.headers.authorization, /^Bearer /);
  });

  it('one token serves many reads while it lives', async () => {
    await put('cached');
    const one = client();
    await one.getSecret('cached');
    await one.getSecret('cached');
    await one.getSecret('cached');
    assert.equal((await requests('/oauth2/v2.0/token')).length, 1);
  });

  it('a token that ended is renewed by the client, and the old one is refused', async () => {
    await put('renewed');
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

  it('a tenant that is neither an id nor a domain is refused with AADSTS900023', async () => {
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    const answer = await fetch(`${azure.facts.http}/nonsense/oauth2/v2.0/token`, {
      method: 'POST',
      body: form,
    });
    assert.equal(answer.status, 400);
    assert.deepEqual((await answer.json()).error_codes, [900023]);
  });

  it('an expired client secret is named as such', async () => {
    await fault({ match: '/token', fault: 'expired' });
    await assert.rejects(credential().getToken(scope()), /AADSTS7000222/);
  });
});

describe('the bare protocol', () => {
  const token = async () => (await credential().getToken(scope())).token;
  const get = async (path, headers) => {
    const answer = await fetch(azure.facts.http + path, { headers });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  before(() => put('bare'));

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
