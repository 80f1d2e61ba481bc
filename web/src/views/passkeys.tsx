// One's own passkeys: add, rename, delete; and the way out.

import { useId, useState } from 'preact/hooks';

import { api, now } from '../api';
import { confirm } from '../confirm';
import { useLoaded, useSignOut } from '../hooks';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Content, Note, View } from '../parts/view';
import { create, deviceName } from '../passkey';
import type { Attestation, Passkey, Session } from '../protocol';
import { cleanText } from '../text';
import { ago, dateTime, parseTime } from '../time';
import { Notifications } from './notifications';
import { RecoveryCodes } from './recovery';
import { AuthenticatorApp } from './totp';

type Asking = { what: 'add' } | { what: 'rename' | 'delete'; passkey: Passkey };

export function PasskeysView({ session, leave }: { session: Session; leave: () => void }) {
  const passkeys = useLoaded(api.passkeys);
  const [asking, setAsking] = useState<Asking | null>(null);
  const { signOut, failure } = useSignOut(leave);
  const close = (): void => setAsking(null);

  return (
    <View title="My passkeys">
      <p class="quiet">
        Signed in as <Text value={session.approver.name} limit={80} />, {session.approver.role}.
      </p>
      <Content from={passkeys}>
        {(list) => (
          <ul class="rows">
            {list.map((passkey) => (
              <PasskeyRow key={passkey.id} passkey={passkey} ask={setAsking} />
            ))}
          </ul>
        )}
      </Content>
      <div class="page-buttons">
        <button type="button" class="primary" onClick={() => setAsking({ what: 'add' })}>
          Add a passkey
        </button>
      </div>
      <RecoveryCodes session={session} />
      <AuthenticatorApp />
      <Notifications />
      <div class="page-buttons">
        <button type="button" class="quiet-button" onClick={signOut}>
          Sign out
        </button>
      </div>
      {failure !== null && <Note tone="bad">{failure}</Note>}
      {asking?.what === 'add' && <AddDialog reload={passkeys.reload} close={close} />}
      {asking?.what === 'rename' && (
        <RenameDialog passkey={asking.passkey} reload={passkeys.reload} close={close} />
      )}
      {asking?.what === 'delete' && (
        <DeleteDialog passkey={asking.passkey} reload={passkeys.reload} close={close} />
      )}
    </View>
  );
}

function PasskeyRow({ passkey, ask }: { passkey: Passkey; ask: (asking: Asking) => void }) {
  const used = parseTime(passkey.last_used);
  const made = parseTime(passkey.created_at);
  const label = cleanText(passkey.label, 60);
  return (
    <li class="row" data-passkey={passkey.id}>
      <span class="row-main">
        <span class="row-title">
          <Text value={passkey.label} limit={80} />
        </span>
        <span class="quiet">
          {used === null ? 'never used' : `used ${ago(used, now())}`}
          {made !== null && ` · added ${dateTime(made, now())}`}
          {passkey.backed_up ? ' · kept in sync between devices' : ' · on this one device only'}
        </span>
      </span>
      <span class="row-buttons">
        <button type="button" class="quiet-button" onClick={() => ask({ what: 'rename', passkey })}>
          Rename<span class="unseen"> {label}</span>
        </button>
        <button type="button" class="quiet-button danger" onClick={() => ask({ what: 'delete', passkey })}>
          Delete<span class="unseen"> {label}</span>
        </button>
      </span>
    </li>
  );
}

interface DialogProps {
  reload: () => Promise<void>;
  close: () => void;
}

/// In two steps, each begun by a tap of its own: browsers give no second prompt without one.
function AddDialog({ reload, close }: DialogProps) {
  const [label, setLabel] = useState(deviceName(navigator.userAgent));
  const [made, setMade] = useState<Attestation | null>(null);
  if (made)
    return <ConfirmDialog key="confirm" label={label.trim()} made={made} reload={reload} close={close} />;
  return (
    <Dialog
      key="make"
      title="Add a passkey"
      verb="Continue"
      close={close}
      stays
      act={async () => setMade(await create(await api.passkeyChallenge()))}
    >
      <p>
        Your device or security key asks for you next. A second passkey is how you get in when the first is
        lost.
      </p>
      <LabelField label={label} setLabel={setLabel} />
    </Dialog>
  );
}

function ConfirmDialog({ label, made, reload, close }: DialogProps & { label: string; made: Attestation }) {
  return (
    <Dialog
      title="Now with one you have"
      verb="Confirm"
      close={close}
      act={async () => {
        await api.addPasskey(label, made, await confirm('passkey.add', made.id, label));
        await reload();
      }}
    >
      <p>The new passkey is made. It counts when a passkey that you have used here before confirms it.</p>
    </Dialog>
  );
}

function RenameDialog({ passkey, reload, close }: DialogProps & { passkey: Passkey }) {
  const [label, setLabel] = useState(passkey.label);
  return (
    <Dialog
      title="Rename passkey"
      verb="Rename"
      close={close}
      act={async () => {
        await api.renamePasskey(passkey.id, label.trim());
        await reload();
      }}
    >
      <LabelField label={label} setLabel={setLabel} />
    </Dialog>
  );
}

function DeleteDialog({ passkey, reload, close }: DialogProps & { passkey: Passkey }) {
  return (
    <Dialog
      title={`Delete ${cleanText(passkey.label, 60)}?`}
      verb="Delete"
      danger
      close={close}
      act={async () => {
        await api.deletePasskey(passkey.id, await confirm('passkey.remove', passkey.id));
        await reload();
      }}
    >
      <p>
        Whoever holds it can no longer sign in or decide with it. Remove it from the device too, where it
        stays otherwise.
      </p>
    </Dialog>
  );
}

export function LabelField({ label, setLabel }: { label: string; setLabel: (label: string) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Name of the passkey</label>
      <input
        id={id}
        required
        maxLength={64}
        value={label}
        autocomplete="off"
        onInput={(event) => setLabel(event.currentTarget.value)}
      />
    </div>
  );
}
