// Requests for the tests: a host that boots as ever, with what a test changes about it.

import type { Card } from '../src/protocol';

export function cardOf(changes: Partial<Card>): Card {
  return {
    id: '7F3K',
    hash: 'ab'.repeat(32),
    state: 'pending',
    created_at: '2026-11-25T11:58:00Z',
    expires_at: '2026-11-25T12:13:00Z',
    decided_by: null,
    reason: null,
    address: '192.0.2.7',
    address_name: 'dsl-7.example.net',
    host: { id: 'cd'.repeat(32), name: 'nas', group: 'home' },
    volumes: ['tank/home'],
    number: '47',
    evidence: {
      boot_id: 'b1',
      kernel: '6.1.0-28-amd64',
      hostname: 'nas',
      uptime: 70,
      addresses: ['192.0.2.7'],
      planned: true,
    },
    next_boot: null,
    compared: {
      first_from_address: false,
      kernel_changed: false,
      last_release: '2026-11-24T06:12:00Z',
      replaces_other_boot: false,
    },
    ...changes,
  };
}
