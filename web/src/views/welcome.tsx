// Before anybody is signed in: sign in with a passkey, or register one with an invite.

import { useState } from 'preact/hooks';

import { api } from '../api';
import { inWords } from '../hooks';
import { Mark } from '../parts/icon';
import { Note, View } from '../parts/view';
import { create, deviceName, sign } from '../passkey';
import type { Session } from '../protocol';
import { LabelField } from './passkeys';

interface WelcomeProps {
  enter: (session: Session) => void;
}

/// `ended`: there was a session, and it is over.
export function SignInView({ enter, ended, waiting }: WelcomeProps & { ended: boolean; waiting: boolean }) {
  const attempt = useAttempt(async () => {
    const challenge = await api.signInChallenge();
    enter(await api.signIn(await sign(challenge)));
  });
  return (
    <div class="welcome">
      <Mark />
      <View title="Sign in">
        <p>
          {waiting
            ? 'A host waits for a decision. Sign in to see it; opening this page has decided nothing.'
            : 'See which host asks for its key, and decide.'}
        </p>
        {ended && !attempt.note && <Note tone="calm">Your session has ended. Sign in again to go on.</Note>}
        {attempt.note}
        <button type="button" class="primary wide" disabled={attempt.busy} onClick={attempt.run}>
          {attempt.busy ? 'Waiting for your passkey…' : 'Sign in with a passkey'}
        </button>
        <p class="quiet">No passkey yet? An owner of this gateway makes you a link to register one.</p>
      </View>
    </div>
  );
}

export function RegisterView({ enter, invite }: WelcomeProps & { invite: string }) {
  const [label, setLabel] = useState(deviceName(navigator.userAgent));
  const attempt = useAttempt(async () => {
    const challenge = await api.registrationChallenge(invite);
    const session = await api.register(invite, label.trim(), await create(challenge));
    history.replaceState(null, '', '#requests');
    enter(session);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  });
  return (
    <div class="welcome">
      <Mark />
      <View title="You are invited">
        <p>
          Make a passkey on this device. With it you sign in here and decide which hosts may unlock their
          disks; there is no password.
        </p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            attempt.run();
          }}
        >
          <LabelField label={label} setLabel={setLabel} />
          {attempt.note}
          <button type="submit" class="primary wide" disabled={attempt.busy}>
            {attempt.busy ? 'Waiting for your device…' : 'Make my passkey'}
          </button>
        </form>
        <p class="quiet">
          Already registered? <a href="#requests">Sign in</a>
        </p>
      </View>
    </div>
  );
}

/// Something tried at the press of a button, with what went wrong the last time.
function useAttempt(task: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ text: string; calm: boolean } | null>(null);
  async function attempt(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      await task();
    } catch (error) {
      setFailure(inWords(error));
    }
    setBusy(false);
  }
  return {
    busy,
    run: () => void attempt(),
    note: failure && <Note tone={failure.calm ? 'calm' : 'bad'}>{failure.text}</Note>,
  };
}
