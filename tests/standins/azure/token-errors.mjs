// The error documents of Azure AD's token endpoint, with the AADSTS codes and statuses of the real one.
// Source: Microsoft identity platform, "Authentication and authorization error codes".

import { randomUUID } from 'node:crypto';

import { json } from '../lib/http.mjs';

export function unknownTenant(tenant) {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant) && !tenant.includes('.')) {
    const message = `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`;
    return tokenError(400, 'invalid_request', 900023, message);
  }
  const message = `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`;
  return tokenError(400, 'invalid_tenant', 90002, message);
}

export function missingParameter(name) {
  const message = `The request body must contain the following parameter: '${name}'.`;
  return tokenError(400, 'invalid_request', 900144, message);
}

export function unsupportedGrant(grant) {
  const message = `The app requested an unsupported grant type '${grant}'.`;
  return tokenError(400, 'unsupported_grant_type', 70003, message);
}

export function unknownApplication(clientId, tenant) {
  const message = `Application with identifier '${clientId}' was not found in the directory '${tenant}'.`;
  return tokenError(400, 'unauthorized_client', 700016, message);
}

export function missingSecret() {
  const needed = "'client_assertion', 'client_secret' or 'request'";
  const message = `${needed} is required for the 'client_credentials' grant type.`;
  return tokenError(401, 'invalid_client', 7000216, message);
}

export function wrongSecret(clientId) {
  const message =
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, ' +
    `not the client secret ID, for a secret added to app '${clientId}'.`;
  return tokenError(401, 'invalid_client', 7000215, message);
}

export function expiredSecret(clientId) {
  const message = `The provided client secret keys for app '${clientId}' are expired.`;
  return tokenError(401, 'invalid_client', 7000222, message);
}

export function invalidScope(scope) {
  const message =
    `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value ` +
    'with /.default suffixed to the resource identifier (application ID URI).';
  return tokenError(400, 'invalid_scope', 1002012, message);
}

export function unknownResource(resource) {
  const message = `The resource principal named ${resource} was not found in the tenant.`;
  return tokenError(400, 'invalid_resource', 500011, message);
}

/// A passing failure of the service itself: 429 or a 5xx.
export function unavailable(status) {
  if (status !== 429) {
    return tokenError(
      status,
      'temporarily_unavailable',
      90033,
      'A transient error has occurred. Please try again.',
    );
  }
  const message = 'The request was throttled because too many requests were sent.';
  return tokenError(429, 'temporarily_unavailable', 90055, message);
}

function tokenError(status, error, code, message) {
  const trace = randomUUID();
  const correlation = randomUUID();
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  const ids = `Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`;
  return json(status, {
    error,
    error_description: `AADSTS${code}: ${message} ${ids}`,
    error_codes: [code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}
