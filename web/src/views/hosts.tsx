// The enrolled hosts: when each was last seen, and for owners the way to revoke one.

import { useState } from 'preact/hooks';

import { api, now } from '../api';
import { confirm } from '../confirm';
import { useLoaded } from '../hooks';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Content, Empty, View } from '../parts/view';
import type { Host, Session } from '../protocol';
import { cleanText } from '../text';
import { ago, dateTime, parseTime } from '../time';

export function HostsView({ session }: { session: Session }) {
  const hosts = useLoaded(api.hosts);
  const [revoking, setRevoking] = useState<Host | null>(null);
  const revoke = session.approver.role === 'owner' ? setRevoking : null;
  return (
    <View title="Hosts">
      <Content from={hosts}>
        {(list) =>
          list.length === 0 ? (
            <Empty shape="hosts">
              <p>No host is enrolled.</p>
              <p class="quiet">
                <code>zkvgateway host invite NAME</code> on the gateway makes the link for one.
              </p>
            </Empty>
          ) : (
            <ul class="rows">
              {list.map((host) => (
                <HostRow key={host.id} host={host} revoke={revoke} />
              ))}
            </ul>
          )
        }
      </Content>
      {revoking && (
        <Dialog
          title={`Revoke ${cleanText(revoking.name, 60)}?`}
          verb="Revoke"
          danger
          close={() => setRevoking(null)}
          act={async () => {
            await api.revokeHost(revoking.id, await confirm('host.revoke', revoking.id));
            await hosts.reload();
          }}
        >
          <p>
            Its share is destroyed. This gateway can never unlock the host again; its recovery key still can.
            There is no way back but to enrol it anew.
          </p>
        </Dialog>
      )}
    </View>
  );
}

function HostRow({ host, revoke }: { host: Host; revoke: ((host: Host) => void) | null }) {
  const seen = parseTime(host.last_seen);
  const revoked = parseTime(host.revoked_at);
  return (
    <li class={revoked === null ? 'row' : 'row ended'} data-host={host.id}>
      <span class="row-main">
        <span class="row-title">
          <Text value={host.name} limit={80} /> {host.group && <Chip text={host.group} />}
        </span>
        <span class="quiet">
          {seen === null ? 'never seen' : `seen ${ago(seen, now())}`}
          {host.last_address && (
            <>
              {' from '}
              <span class="machine">
                <Text value={host.last_address} limit={60} />
              </span>
            </>
          )}
        </span>
      </span>
      {revoked !== null ? (
        <span class="state denied">Revoked {dateTime(revoked, now())}</span>
      ) : (
        revoke && (
          <button type="button" class="quiet-button danger" onClick={() => revoke(host)}>
            Revoke<span class="unseen"> {cleanText(host.name, 60)}</span>
          </button>
        )
      )}
    </li>
  );
}

function Chip({ text }: { text: string }) {
  return (
    <span class="chip">
      <span class="unseen">Group </span>
      <Text value={text} limit={40} />
    </span>
  );
}
