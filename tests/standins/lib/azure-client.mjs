// Microsoft's own clients, turned to the stand-in, for the checks.

import { readFileSync } from 'node:fs';

import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';

const kRetries = { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 5 };

/// The official credential with the stand-in's application, or with another `tenant`, `id` or `secret`.
export function credentialOf({ facts }, { tenant, id, secret } = {}) {
  return new ClientSecretCredential(
    tenant ?? facts.tenant,
    id ?? facts.clientId,
    secret ?? facts.clientSecret,
    {
      authorityHost: facts.https,
      disableInstanceDiscovery: true,
      tlsOptions: { ca: readFileSync(facts.ca, 'utf8') },
      retryOptions: kRetries,
    },
  );
}

/// The official client of secrets, with a credential and a challenge of its own.
export function clientOf(standin) {
  return new SecretClient(standin.facts.https, credentialOf(standin), {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: readFileSync(standin.facts.ca, 'utf8') },
    retryOptions: kRetries,
  });
}

/// A launched stand-in as the checks use it: its control calls by name.
export function helpersOf(standin) {
  const requests = (match) => standin.control(`GET /requests?match=${encodeURIComponent(match)}`);
  return {
    requests,
    statuses: async (match) => (await requests(match)).map((entry) => entry.status),
    fault: (rule) => standin.control('POST /faults', rule),
    put: (name, value = 'v') => standin.control('POST /secrets', { name, value }),
    reset: async () => {
      await standin.control('DELETE /faults');
      await standin.control('DELETE /requests');
      await standin.control('POST /settings', {
        tokenLifetime: 3599,
        announcedLifetime: null,
        clockAhead: 0,
        deletionTime: 0,
        purgeTime: 0,
        purgeProtection: false,
      });
    },
  };
}
