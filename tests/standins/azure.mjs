// A stand-in for Azure AD and one Azure Key Vault on loopback. Run as
//   node azure.mjs [--port N] [--http-port N] [--control-port N]
// it prints its addresses and credentials as one line of JSON. lib/control.mjs and `control` below say how tests
// steer it.

import { randomUUID } from 'node:crypto';

import {
  accessDenied,
  forbiddenByFirewall,
  secretDisabled,
  throttled,
  unauthorized,
  vaultError,
} from './azure/errors.mjs';
import { Secrets } from './azure/secrets.mjs';
import { expiredSecret, unavailable } from './azure/token-errors.mjs';
import { Tokens } from './azure/tokens.mjs';
import { Vault } from './azure/vault.mjs';
import { settingsControl } from './lib/control.mjs';
import { json } from './lib/http.mjs';
import { runStandIn } from './lib/server.mjs';

/// What `POST /settings` can change. `permissions` are those of an access policy; `clockAhead` (seconds) moves the
/// clock; `authority` is where a challenge sends for a token, null for this server. `deletionTime` and `purgeTime`
/// (milliseconds) is how long a name stays busy after either was answered; `purgeProtection` is the vault's.
const settings = {
  tenant: randomUUID(),
  clientId: randomUUID(),
  clientSecret: `standin~${randomUUID()}`,
  resource: 'https://vault.azure.net',
  authority: null,
  tokenLifetime: 3599,
  announcedLifetime: null,
  clockAhead: 0,
  permissions: ['get', 'list', 'set', 'delete', 'recover', 'purge'],
  deletionTime: 0,
  purgeTime: 0,
  purgeProtection: false,
};

const now = () => Math.floor(Date.now() / 1000) + settings.clockAhead;
const secrets = new Secrets(now, settings);
const tokens = new Tokens(settings, now);
const vault = new Vault(settings, secrets, tokens);

function answer(request) {
  const [tenant, ...rest] = request.path.split('/').slice(1);
  switch (rest.join('/')) {
    case 'oauth2/v2.0/token':
      return request.method === 'POST' ? tokens.answer(tenant, request) : json(405, {});
    case 'v2.0/.well-known/openid-configuration':
      return tokens.openIdConfiguration(tenant, request.origin);
    case 'discovery/v2.0/keys':
      return json(200, { keys: [] });
    case 'discovery/instance':
      return tokens.instanceDiscovery(request.origin);
    default:
      return withServiceHeaders(vault.answer(request));
  }
}

function faultAnswer({ fault, retryAfter }, request) {
  if (request.path.endsWith('/oauth2/v2.0/token')) return tokenFault(fault, retryAfter);
  return withServiceHeaders(vaultFault(fault, retryAfter, request));
}

function tokenFault(fault, retryAfter) {
  if (fault === 'expired') return expiredSecret(settings.clientId);
  return withRetryAfter(unavailable(Number(fault) || 503), retryAfter);
}

function vaultFault(fault, retryAfter, request) {
  switch (fault) {
    case '429':
      return throttled(retryAfter);
    case 'expired':
      return unauthorized(settings, settings.authority ?? request.origin, 'expired');
    case 'firewall':
      return forbiddenByFirewall();
    case 'disabled':
      return secretDisabled();
    case 'forbidden':
      return accessDenied(settings, permissionFor(request));
    default:
      return withRetryAfter(
        vaultError(Number(fault), 'InternalServerError', 'An unexpected error occurred.'),
        retryAfter,
      );
  }
}

/// The permission that a call wants, as the vault's refusal names it.
function permissionFor({ method, path }) {
  if (method === 'DELETE') return path.startsWith('/deletedsecrets/') ? 'purge' : 'delete';
  return { PUT: 'set', PATCH: 'set', POST: 'recover' }[method] ?? 'get';
}

function withRetryAfter(answered, retryAfter) {
  return retryAfter === undefined
    ? answered
    : { ...answered, headers: { ...answered.headers, 'Retry-After': String(retryAfter) } };
}

function withServiceHeaders(answered) {
  const headers = {
    'Cache-Control': 'no-cache',
    'x-ms-request-id': randomUUID(),
    'x-ms-keyvault-service-version': '1.9.0.0',
    'x-ms-keyvault-region': 'local',
    ...answered.headers,
  };
  return { ...answered, headers };
}

const control = {
  'POST /secrets': ({ name, ...body }) => secrets.put(name, body),
  'POST /tokens/end': () => tokens.endAll(),
  ...settingsControl(settings),
};

await runStandIn({
  name: 'azure',
  faults: ['expired', 'disabled', 'forbidden', 'firewall'],
  answer,
  faultAnswer,
  control,
  facts: () => ({
    tenant: settings.tenant,
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    resource: settings.resource,
  }),
});
