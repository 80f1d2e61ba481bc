// The enrolled hosts: when each was last seen, approving its next boot beforehand, and for owners revoking one.

import { useId, useState } from 'preact/hooks';

import { api, now } from '../api';
import { confirm } from '../confirm';
import { inWords, useLoaded } from '../hooks';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Content, Empty, Note, View } from '../parts/view';
import type { Heartbeat, Host, Session } from '../protocol';
import { cleanText } from '../text';
import { ago, dateTime, parseTime } from '../time';

export function HostsView({ session }: { session: Session }) {
  const hosts = useLoaded(api.hosts);
  const [revoking, setRevoking] = useState<Host | null>(null);
  const [approving, setApproving] = useState<Host | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const revoke = session.approver.role === 'owner' ? setRevoking : null;

  async function takeBack(host: Host): Promise<void> {
    setFailure(null);
    try {
      await api.takeBackNextBoot(host.id);
    } catch (error) {
      setFailure(inWords(error).text);
    }
    await hosts.reload();
  }

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
                <HostRow
                  key={host.id}
                  host={host}
                  approve={setApproving}
                  takeBack={(one) => void takeBack(one)}
                  revoke={revoke}
                />
              ))}
            </ul>
          )
        }
      </Content>
      {failure !== null && <Note tone="bad">{failure}</Note>}
      {approving && (
        <NextBootDialog host={approving} reload={hosts.reload} close={() => setApproving(null)} />
      )}
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

interface HostRowProps {
  host: Host;
  approve: (host: Host) => void;
  takeBack: (host: Host) => void;
  revoke: ((host: Host) => void) | null;
}

function HostRow({ host, approve, takeBack, revoke }: HostRowProps) {
  const until = host.next_boot && parseTime(host.next_boot.until);
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
        {host.heartbeat && revoked === null && <Check said={host.heartbeat} />}
        {host.next_boot && until !== null && revoked === null && (
          <span class="next-boot">
            Next boot approved by <Text value={host.next_boot.by} limit={60} /> until {dateTime(until, now())}
          </span>
        )}
      </span>
      {revoked !== null ? (
        <span class="state denied">Revoked {dateTime(revoked, now())}</span>
      ) : (
        <span class="row-buttons">
          <button
            type="button"
            class="quiet-button"
            onClick={() => (host.next_boot ? takeBack(host) : approve(host))}
          >
            {host.next_boot ? 'Take back' : 'Approve next boot'}
            <span class="unseen"> of {cleanText(host.name, 60)}</span>
          </button>
          {revoke && (
            <button type="button" class="quiet-button danger" onClick={() => revoke(host)}>
              Revoke<span class="unseen"> {cleanText(host.name, 60)}</span>
            </button>
          )}
        </span>
      )}
    </li>
  );
}

const kFindingsShown = 3;

/// What the host's drift guard said last.
function Check({ said }: { said: Heartbeat }) {
  const at = parseTime(said.at);
  const when = at === null ? 'at an unknown time' : ago(at, now());
  const rest = said.count - Math.min(said.findings.length, kFindingsShown);
  return (
    <>
      <span class={said.overdue || said.count > 0 ? 'check look' : 'check quiet'}>
        {said.count === 0 ? 'Checked' : said.count === 1 ? '1 finding' : `${said.count} findings`} {when}
        {said.count === 0 && ': fine'}
        {said.overdue && ' · overdue: it checks daily'}
      </span>
      {said.count > 0 && (
        <ul class="findings">
          {said.findings.slice(0, kFindingsShown).map((line, index) => (
            <li key={index}>
              <Text value={line} limit={200} />
            </li>
          ))}
          {rest > 0 && <li>and {rest} more: see zkv check on the host</li>}
        </ul>
      )}
    </>
  );
}

const kTimes = [
  [1800, '30 minutes'],
  [7200, '2 hours'],
  [28_800, '8 hours'],
] as const;

function NextBootDialog({
  host,
  reload,
  close,
}: {
  host: Host;
  reload: () => Promise<void>;
  close: () => void;
}) {
  const [seconds, setSeconds] = useState(7200);
  const id = useId();
  return (
    <Dialog
      title={`Approve the next boot of ${cleanText(host.name, 60)}?`}
      verb="Approve"
      close={close}
      act={async () => {
        const confirmation = await confirm('boot.approve', host.id, String(seconds));
        await api.approveNextBoot(host.id, seconds, confirmation);
        await reload();
      }}
    >
      <p>
        When it asks after its next boot, it unlocks without anybody being asked: once, and only within this
        time. Until then you can take it back here.
      </p>
      <div class="field">
        <label for={id}>Within</label>
        <select id={id} value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
          {kTimes.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </div>
    </Dialog>
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
