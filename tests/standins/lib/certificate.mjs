// A certificate authority and a certificate for this machine's loopback names, made anew at each start.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kNames = 'DNS:localhost,DNS:*.localhost,DNS:*.vault.localhost,IP:127.0.0.1,IP:::1';

/// Makes both in a folder of their own under the system's temporary folder:
/// { key, cert, caFile, remove() }; `remove` deletes the folder. Throws when the openssl program fails.
export function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'zkv-standin-'));
  const file = (name) => join(folder, name);
  openssl(
    '-subj',
    '/CN=zkv stand-in CA',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-addext',
    'keyUsage=critical,keyCertSign',
  );
  openssl(
    '-subj',
    '/CN=localhost',
    '-keyout',
    file('server.key'),
    '-out',
    file('server.pem'),
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-addext',
    `subjectAltName=${kNames}`,
    '-addext',
    'basicConstraints=critical,CA:false',
    '-addext',
    'extendedKeyUsage=serverAuth',
  );
  return {
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.pem')),
    caFile: file('ca.pem'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(...options) {
  const common = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  execFileSync('openssl', [...common, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
}
