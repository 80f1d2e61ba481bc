// One's authenticator app: set up, with a first code, and removed. Not there where the gateway takes no codes.

import { useState } from 'preact/hooks';

import { api, now, Problem } from '../api';
import { confirm } from '../confirm';
import { useLoaded } from '../hooks';
import { CodeField } from '../parts/code_field';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Note } from '../parts/view';
import type { NewTotp, Totp } from '../protocol';
import { dateTime, parseTime } from '../time';

const kNoCodesHere = 404;

async function totpOrOff(): Promise<Totp | 'off'> {
  try {
    return await api.totp();
  } catch (error) {
    if (error instanceof Problem && error.status === kNoCodesHere) return 'off';
    throw error;
  }
}

export function AuthenticatorApp() {
  const totp = useLoaded(totpOrOff);
  const [asking, setAsking] = useState<'set-up' | 'remove' | null>(null);
  if (totp.value === 'off' || (totp.value === null && totp.failure === null)) return null;
  const close = (): void => setAsking(null);
  const isActive = totp.value?.state === 'active';
  return (
    <section class="panel">
      <h2>Codes from an authenticator app</h2>
      {totp.failure !== null && <Note tone="bad">{totp.failure}</Note>}
      {totp.value && <State totp={totp.value} />}
      <button
        type="button"
        class={isActive ? 'quiet-button danger' : 'quiet-button'}
        onClick={() => setAsking(isActive ? 'remove' : 'set-up')}
      >
        {isActive ? 'Remove the app' : 'Set up an app'}
      </button>
      {asking === 'set-up' && <SetUpDialog reload={totp.reload} close={close} />}
      {asking === 'remove' && <RemoveDialog reload={totp.reload} close={close} />}
    </section>
  );
}

function State({ totp }: { totp: Totp }) {
  const made = parseTime(totp.made_at);
  const locked = parseTime(totp.locked_until);
  return (
    <>
      <p class="quiet" data-totp={totp.state}>
        {totp.state === 'active' && made !== null ? `Set up ${dateTime(made, now())}. ` : 'You have none. '}
        For the day when your passkey is not at hand: codes decide requests of hosts in the group{' '}
        <Text value={totp.groups.join(', ')} limit={200} />, and do nothing else.
      </p>
      {locked !== null && (
        <Note tone="bad">
          Five wrong codes were given: none is taken until {dateTime(locked, now())}. If that was not you,
          somebody guesses.
        </Note>
      )}
    </>
  );
}

interface DialogProps {
  reload: () => Promise<void>;
  close: () => void;
}

function SetUpDialog({ reload, close }: DialogProps) {
  const [made, setMade] = useState<NewTotp | null>(null);
  if (made) return <FirstCodeDialog key="code" made={made} reload={reload} close={close} />;
  return (
    <Dialog
      key="make"
      title="Set up an authenticator app?"
      verb="Continue"
      stays
      close={close}
      act={async () => setMade(await api.setUpTotp(await confirm('totp.set')))}
    >
      <p>Your passkey confirms it. Have the app at hand: what it needs is then shown once.</p>
      <p>
        A code can be given to a false page unawares, a passkey cannot: type codes only where you see this
        page’s address.
      </p>
    </Dialog>
  );
}

function FirstCodeDialog({ made, reload, close }: DialogProps & { made: NewTotp }) {
  const [code, setCode] = useState('');
  const { size, path } = made.qr;
  return (
    <Dialog
      title="Scan this with the app"
      verb="Confirm"
      close={close}
      act={async () => {
        setCode('');
        await api.firstCode(code);
        await reload();
      }}
    >
      <svg class="qr" viewBox={`-4 -4 ${size + 8} ${size + 8}`} role="img" aria-label="QR code for the app">
        <path d={path} />
      </svg>
      <p class="quiet">
        Or type this into it: <span class="machine secret">{made.secret.match(/.{4}/g)?.join(' ')}</span>
      </p>
      <p class="quiet">
        <a href={made.uri}>Open an app on this device</a>
      </p>
      <p>The app counts when its first code was given here.</p>
      <CodeField code={code} setCode={setCode} />
    </Dialog>
  );
}

function RemoveDialog({ reload, close }: DialogProps) {
  return (
    <Dialog
      title="Remove the authenticator app?"
      verb="Remove"
      danger
      close={close}
      act={async () => {
        await api.removeTotp(await confirm('totp.remove'));
        await reload();
      }}
    >
      <p>Its codes decide nothing any more, and who is signed in by one is signed out.</p>
    </Dialog>
  );
}
