// Azure AD as an application sees it: the 2.0 token endpoint for client credentials, and the documents about it.
// Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".

import { createHmac, randomBytes, randomUUID } from 'node:crypto';

import { basicCredentials, formOf, json } from '../lib/http.mjs';
import {
  invalidScope,
  missingParameter,
  missingSecret,
  unknownApplication,
  unknownResource,
  unknownTenant,
  unsupportedGrant,
  wrongSecret,
} from './token-errors.mjs';

export class Tokens {
  #key = randomBytes(32);
  #issued = 0;
  #endedBefore = 0;

  /// `settings` is shared with the control interface: tenant, clientId, clientSecret, resource, and in seconds
  /// tokenLifetime and announcedLifetime, which the answer claims instead when it is not null.
  /// `now` returns the stand-in's time in seconds.
  constructor(settings, now) {
    this.settings = settings;
    this.now = now;
  }

  /// POST /{tenant}/oauth2/v2.0/token
  answer(tenant, request) {
    const form = formOf(request);
    const problem = this.#problemWith(tenant, form, basicCredentials(request));
    if (problem) return problem;
    const expiresIn = this.settings.announcedLifetime ?? this.settings.tokenLifetime;
    return json(
      200,
      {
        token_type: 'Bearer',
        expires_in: expiresIn,
        ext_expires_in: expiresIn,
        access_token: this.#issue(form.get('scope')),
      },
      { 'Cache-Control': 'no-store, no-cache', Pragma: 'no-cache' },
    );
  }

  /// All tokens issued until now end at once, as when an administrator revokes them.
  endAll() {
    this.#endedBefore = this.#issued;
  }

  /// What is wrong with a request's bearer token: null, 'missing', 'malformed', 'expired' or 'audience'.
  fault(request) {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() !== 'bearer' || !token) return 'missing';
    const [head, body, signature] = token.split('.');
    if (!body || signature !== this.#sign(`${head}.${body}`)) return 'malformed';
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    if (claims.exp <= this.now() || claims.serial <= this.#endedBefore) return 'expired';
    return claims.aud === this.settings.resource ? null : 'audience';
  }

  /// GET /{tenant}/v2.0/.well-known/openid-configuration
  openIdConfiguration(tenant, origin) {
    if (tenant !== this.settings.tenant) return unknownTenant(tenant);
    return json(200, {
      token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
      issuer: `${origin}/${tenant}/v2.0`,
      authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
      response_types_supported: ['code', 'id_token', 'token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }

  /// GET /common/discovery/instance
  instanceDiscovery(origin) {
    const host = new URL(origin).host;
    return json(200, {
      tenant_discovery_endpoint: `${origin}/${this.settings.tenant}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    });
  }

  /// What speaks against a token: an error answer, or null.
  #problemWith(tenant, form, basic) {
    if (tenant !== this.settings.tenant) return unknownTenant(tenant);
    const grant = form.get('grant_type');
    if (!grant) return missingParameter('grant_type');
    if (grant !== 'client_credentials') return unsupportedGrant(grant);
    const [clientId, secret] = basic ?? [form.get('client_id'), form.get('client_secret')];
    if (!clientId) return missingParameter('client_id');
    if (clientId !== this.settings.clientId) return unknownApplication(clientId, tenant);
    if (!secret) return missingSecret();
    if (secret !== this.settings.clientSecret) return wrongSecret(clientId);
    return this.#problemWithScope(form.get('scope'));
  }

  #problemWithScope(scope) {
    if (!scope) return missingParameter('scope');
    if (!scope.endsWith('/.default')) return invalidScope(scope);
    const audience = audienceOf(scope);
    return audience === this.settings.resource ? null : unknownResource(audience);
  }

  /// A token in a JWT's shape; only this process can check it.
  #issue(scope) {
    const now = this.now();
    const claims = {
      aud: audienceOf(scope),
      iss: `https://sts.windows.net/${this.settings.tenant}/`,
      iat: now,
      nbf: now,
      exp: now + this.settings.tokenLifetime,
      appid: this.settings.clientId,
      tid: this.settings.tenant,
      uti: randomUUID(),
      serial: ++this.#issued,
    };
    const unsigned = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(claims)}`;
    return `${unsigned}.${this.#sign(unsigned)}`;
  }

  #sign(text) {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function audienceOf(scope) {
  return scope.slice(0, -'/.default'.length).replace(/\/$/, '');
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
