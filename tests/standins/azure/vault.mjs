// Azure Key Vault's secrets over REST: who may do what, paths and versions, and the bundles that answer.

import { empty, json } from '../lib/http.mjs';
import {
  accessDenied,
  badParameter,
  beingDeleted,
  deletedButRecoverable,
  purgeProtected,
  secretDisabled,
  secretNotFound,
  unauthorized,
  vaultError,
} from './errors.mjs';

const kApiVersions = [
  '2016-10-01',
  '7.0',
  '7.1',
  '7.2',
  '7.3',
  '7.4',
  '7.5',
  '7.6',
  '2025-06-01-preview',
  '2025-07-01',
];
const kName = /^[0-9a-zA-Z-]{1,127}$/;
const kLongestValue = 25 * 1024;
const kPageSize = 25;

export class Vault {
  constructor(settings, secrets, tokens) {
    this.settings = settings;
    this.secrets = secrets;
    this.tokens = tokens;
  }

  answer(request) {
    const authority = this.settings.authority ?? request.origin;
    const fault = this.tokens.fault(request);
    if (fault) return unauthorized(this.settings, authority, fault);
    const version = request.query.get('api-version');
    if (!version) return badParameter('The api-version query parameter is missing.');
    if (!kApiVersions.includes(version)) {
      const advice = `Consider using the latest supported version (${kApiVersions.at(-1)}).`;
      return badParameter(`The specified version (${version}) is not recognized. ${advice}`);
    }
    return this.#route(request);
  }

  #route(request) {
    const [collection, name, ...rest] = request.path.split('/').slice(1);
    const tail = rest.join('/');
    if (name && !kName.test(name)) return badParameter(`The request URI contains an invalid name: ${name}`);
    const key = `${request.method} ${collection}${name ? '/{name}' : ''}`;
    switch (key) {
      case 'GET secrets':
        return this.#allowed('list', () => this.#page(request, this.secrets.newest()));
      case 'GET secrets/{name}':
        if (tail === 'versions')
          return this.#allowed('list', () => this.#page(request, this.secrets.versions(name)));
        return this.#allowed('get', () => this.#get(request, name, tail));
      case 'PUT secrets/{name}':
        return this.#allowed('set', () => this.#put(request, name));
      case 'PATCH secrets/{name}':
        return this.#allowed('set', () => this.#update(request, name, tail));
      case 'DELETE secrets/{name}':
        return this.#allowed('delete', () => this.#remove(request, name));
      default:
        return collection === 'deletedsecrets' && name
          ? this.#deleted(request, name, tail)
          : unknownPath(request);
    }
  }

  #allowed(permission, action) {
    return this.settings.permissions.includes(permission)
      ? action()
      : accessDenied(this.settings, permission);
  }

  /// As the real vault: a disabled version is refused, one outside nbf and exp is handed out.
  #get(request, name, version) {
    const secret = this.secrets.get(name, version);
    if (!secret) return secretNotFound(version ? `${name}/${version}` : name);
    if (!secret.attributes.enabled) return secretDisabled();
    return json(200, { value: secret.value, ...bundle(request, secret) });
  }

  #put(request, name) {
    const body = parsed(request.body);
    if (typeof body?.value !== 'string')
      return badParameter("Property 'value' is required and must be a string.");
    if (Buffer.byteLength(body.value) > kLongestValue)
      return badParameter(`The value of the secret is longer than ${kLongestValue} bytes.`);
    if (this.secrets.isBusy(name)) return beingDeleted(name);
    if (this.secrets.deleted(name)) return deletedButRecoverable(name);
    const secret = this.secrets.put(name, body);
    return json(200, { value: secret.value, ...bundle(request, secret) });
  }

  #update(request, name, version) {
    const secret = this.secrets.get(name, version);
    if (!secret) return secretNotFound(name);
    this.secrets.update(secret, parsed(request.body) ?? {});
    return json(200, bundle(request, secret));
  }

  #remove(request, name) {
    if (!this.secrets.get(name)) return secretNotFound(name);
    return json(200, deletedBundle(request, this.secrets.remove(name)));
  }

  #deleted(request, name, tail) {
    switch (`${request.method} ${tail}`) {
      case 'GET ':
        return this.#allowed('get', () => this.#getDeleted(request, name));
      case 'DELETE ':
        return this.#allowed('purge', () => this.#purge(name));
      case 'POST recover':
        return this.#allowed('recover', () => this.#recover(request, name));
      default:
        return unknownPath(request);
    }
  }

  #getDeleted(request, name) {
    const secret = this.secrets.deleted(name);
    if (!secret || this.secrets.isBusy(name)) return secretNotFound(name);
    return json(200, deletedBundle(request, secret));
  }

  #purge(name) {
    if (!this.secrets.deleted(name)) return secretNotFound(name);
    if (this.secrets.isBusy(name)) return beingDeleted();
    if (this.settings.purgeProtection) return purgeProtected();
    this.secrets.purge(name);
    return empty(204);
  }

  #recover(request, name) {
    if (!this.secrets.deleted(name)) return secretNotFound(name);
    if (this.secrets.isBusy(name)) return beingDeleted();
    return json(200, bundle(request, this.secrets.recover(name)));
  }

  #page(request, all) {
    const size = Number(request.query.get('maxresults') ?? kPageSize);
    if (!Number.isInteger(size) || size < 1 || size > kPageSize) return badParameter('Invalid maxresults');
    const start = Number(request.query.get('$skiptoken') ?? 0);
    const next = new URL(request.url, request.origin);
    next.searchParams.set('$skiptoken', String(start + size));
    return json(200, {
      value: all.slice(start, start + size).map((secret) => bundle(request, secret)),
      nextLink: start + size < all.length ? next.href : null,
    });
  }
}

function bundle(request, { name, version, contentType, tags, attributes }) {
  return { id: `${request.origin}/secrets/${name}/${version}`, contentType, attributes, tags };
}

function deletedBundle(request, secret) {
  const { deletedDate, scheduledPurgeDate } = secret;
  const recoveryId = `${request.origin}/deletedsecrets/${secret.name}`;
  return { recoveryId, deletedDate, scheduledPurgeDate, ...bundle(request, secret) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unknownPath(request) {
  return vaultError(404, 'NotFound', `There is nothing at ${request.method} ${request.path}.`);
}
