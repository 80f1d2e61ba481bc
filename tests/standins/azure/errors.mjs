// The error documents of Azure Key Vault, with the codes and messages that its clients look for.
// Source: Azure Key Vault REST API, "Authentication, requests and responses" and "error codes".

import { json } from '../lib/http.mjs';

/// { error: { code, message, innererror? } } with `status`.
export function vaultError(status, code, message, inner, headers = {}) {
  return json(status, { error: { code, message, ...(inner && { innererror: { code: inner } }) } }, headers);
}

export function secretNotFound(name) {
  const message =
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you ` +
    'may be able to recover it using the correct recovery command. For help resolving this issue, please see ' +
    'https://go.microsoft.com/fwlink/?linkid=2125182';
  return vaultError(404, 'SecretNotFound', message);
}

export function secretDisabled() {
  return vaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');
}

export function accessDenied(settings, permission) {
  const who = `appid=${settings.clientId};iss=https://sts.windows.net/${settings.tenant}/`;
  const message =
    `The user, group or application '${who}' does not have secrets ${permission} permission on key vault ` +
    "'standin;location=local'. For help resolving this issue, please see " +
    'https://go.microsoft.com/fwlink/?linkid=2125287';
  return vaultError(403, 'Forbidden', message, 'AccessDenied');
}

export function forbiddenByFirewall() {
  const message = 'Client address is not authorized and caller is not a trusted service.';
  return vaultError(403, 'Forbidden', message, 'ForbiddenByFirewall');
}

export function deletedButRecoverable(name) {
  const message =
    `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; ` +
    'in this state, the secret can only be recovered or purged.';
  return vaultError(409, 'Conflict', message, 'ObjectIsDeletedButRecoverable');
}

/// While a deletion or a purge is not yet done: for purging, and for setting the name anew.
export function beingDeleted(name) {
  const message = name
    ? `Secret ${name} is currently being deleted and cannot be re-created; retry later.`
    : 'Secret is currently being deleted.';
  return vaultError(409, 'Conflict', message, 'ObjectIsBeingDeleted');
}

export function purgeProtected() {
  const message =
    'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will ' +
    'automatically purge it after the retention period has passed.\r\nVault: standin;location=local';
  return vaultError(403, 'Forbidden', message);
}

export function badParameter(message) {
  return vaultError(400, 'BadParameter', message);
}

export function throttled(retryAfter) {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  const message =
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached';
  return vaultError(429, 'Throttled', message, undefined, headers);
}

/// 401 with the challenge that says where to get a token; `fault` as `Tokens.fault` names it.
export function unauthorized(settings, authority, fault) {
  const messages = {
    missing: 'AKV10000: Request is missing a Bearer or PoP token.',
    malformed: "[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.",
    expired: "[TokenExpired] Error validating token: 'S2S12086'.",
    audience: `AKV10022: Invalid audience. Expected ${settings.resource}.`,
  };
  const error = fault === 'missing' ? '' : ', error="invalid_token"';
  const challenge = `Bearer authorization="${authority}/${settings.tenant}", resource="${settings.resource}"${error}`;
  return vaultError(401, 'Unauthorized', messages[fault], undefined, { 'WWW-Authenticate': challenge });
}
