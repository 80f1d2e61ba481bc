// Who may decide, for owners: list, invite, revoke; and the invites that lie about unused.

import { useId, useState } from 'preact/hooks';

import { api, now } from '../api';
import { confirm } from '../confirm';
import { inWords, useLoaded } from '../hooks';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Content, Note, View } from '../parts/view';
import type { Approver, Invite, OpenInvite, Role, Session } from '../protocol';
import { cleanText } from '../text';
import { ago, dateTime, parseTime } from '../time';

export function PeopleView({ session }: { session: Session }) {
  const people = useLoaded(api.approvers);
  const invites = useLoaded(api.openInvites);
  const [revoking, setRevoking] = useState<Approver | null>(null);
  if (session.approver.role !== 'owner')
    return (
      <View title="People">
        <p>Only owners see and invite people.</p>
      </View>
    );
  return (
    <View title="People">
      <Content from={people}>
        {(list) => (
          <ul class="rows">
            {list.map((person) => (
              <PersonRow
                key={person.id}
                person={person}
                isMe={person.id === session.approver.id}
                revoke={() => setRevoking(person)}
              />
            ))}
          </ul>
        )}
      </Content>
      <InviteForm made={invites.reload} />
      <Content from={invites}>{(list) => <OpenInvites list={list} reload={invites.reload} />}</Content>
      {revoking && (
        <Dialog
          title={`Revoke ${cleanText(revoking.name, 60)}?`}
          verb="Revoke"
          danger
          close={() => setRevoking(null)}
          act={async () => {
            await api.revokeApprover(revoking.id, await confirm('approver.revoke', revoking.id));
            await people.reload();
          }}
        >
          <p>They are signed out and can no longer decide. What they decided stays in the history.</p>
        </Dialog>
      )}
    </View>
  );
}

function PersonRow({ person, isMe, revoke }: { person: Approver; isMe: boolean; revoke: () => void }) {
  const used = parseTime(person.last_used);
  return (
    <li class="row" data-approver={person.id}>
      <span class="row-main">
        <span class="row-title">
          <Text value={person.name} limit={80} /> <span class="chip">{person.role}</span>
          {isMe && <span class="chip">you</span>}
        </span>
        <span class="quiet">
          {person.passkeys === 1 ? '1 passkey' : `${person.passkeys} passkeys`}
          {used === null ? ', never used' : `, used ${ago(used, now())}`}
        </span>
      </span>
      <button type="button" class="quiet-button danger" onClick={revoke}>
        Revoke<span class="unseen"> {cleanText(person.name, 60)}</span>
      </button>
    </li>
  );
}

function OpenInvites({ list, reload }: { list: OpenInvite[]; reload: () => Promise<void> }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function withdraw(id: string): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      await api.withdrawInvite(id);
    } catch (error) {
      setFailure(inWords(error).text);
    }
    await reload();
    setBusy(false);
  }

  if (list.length === 0 && failure === null) return null;
  return (
    <section class="panel">
      <h2>Invites not used yet</h2>
      <ul class="rows">
        {list.map((invite) => (
          <OpenInviteRow
            key={invite.id}
            invite={invite}
            busy={busy}
            withdraw={() => void withdraw(invite.id)}
          />
        ))}
      </ul>
      {failure !== null && <Note tone="bad">{failure}</Note>}
    </section>
  );
}

interface OpenInviteRowProps {
  invite: OpenInvite;
  busy: boolean;
  withdraw: () => void;
}

function OpenInviteRow({ invite, busy, withdraw }: OpenInviteRowProps) {
  const ends = parseTime(invite.expires_at);
  return (
    <li class="row" data-invite={invite.id}>
      <span class="row-main">
        <span class="row-title">
          <Text value={invite.name} limit={80} />{' '}
          <span class="chip">{invite.kind === 'host' ? 'a host' : (invite.role ?? 'approver')}</span>
        </span>
        <span class="quiet">{ends === null ? '' : `until ${dateTime(ends, now())}`}</span>
      </span>
      <button type="button" class="quiet-button danger" disabled={busy} onClick={withdraw}>
        Withdraw<span class="unseen"> the invite of {cleanText(invite.name, 60)}</span>
      </button>
    </li>
  );
}

function InviteForm({ made }: { made: () => Promise<void> }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('approver');
  const [invite, setInvite] = useState<(Invite & { name: string }) | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const nameId = useId();
  const roleId = useId();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      const called = name.trim();
      const confirmation = await confirm('approver.invite', called, role);
      setInvite({ ...(await api.invite(called, role, confirmation)), name: called });
      setName('');
      await made();
    } catch (error) {
      setFailure(inWords(error).text);
    }
    setBusy(false);
  }

  return (
    <section class="panel">
      <h2>Invite somebody</h2>
      <form class="invite" onSubmit={(event) => void submit(event)}>
        <div class="field">
          <label for={nameId}>Name</label>
          <input
            id={nameId}
            required
            maxLength={64}
            autocomplete="off"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for={roleId}>Role</label>
          <select
            id={roleId}
            value={role}
            onChange={(event) => setRole(event.currentTarget.value === 'owner' ? 'owner' : 'approver')}
          >
            <option value="approver">Approver: decides requests</option>
            <option value="owner">Owner: also invites and revokes</option>
          </select>
        </div>
        <button type="submit" class="primary" disabled={busy}>
          Make a link
        </button>
      </form>
      {failure !== null && <Note tone="bad">{failure}</Note>}
      {invite && <InviteLink invite={invite} />}
    </section>
  );
}

function InviteLink({ invite }: { invite: Invite & { name: string } }) {
  const [copied, setCopied] = useState<'yes' | 'no' | null>(null);
  const ends = parseTime(invite.expires_at);
  const id = useId();

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(invite.url);
      setCopied('yes');
    } catch {
      setCopied('no');
    }
  }

  return (
    <div class="invite-link" role="status">
      <label for={id}>
        Send this to <Text value={invite.name} limit={60} />, and to nobody else: whoever opens it first
        becomes them.
      </label>
      <div class="copy">
        <input
          id={id}
          class="machine"
          readOnly
          value={invite.url}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="quiet-button" onClick={() => void copy()}>
          {copied === 'yes' ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p class="quiet">
        Works once{ends === null ? '' : `, until ${dateTime(ends, now())}`}.
        {copied === 'no' && ' The browser does not let this page copy: select the link and copy it yourself.'}
      </p>
    </div>
  );
}
