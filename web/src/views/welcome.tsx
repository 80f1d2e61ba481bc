// Before anybody is signed in: sign in with a passkey, or register one with an invite or a recovery code.

import { useId, useState } from 'preact/hooks';

import { api } from '../api';
import { inWords, useLoaded } from '../hooks';
import { Mark } from '../parts/icon';
import { Note, View } from '../parts/view';
import { create, deviceName, sign } from '../passkey';
import type { Session } from '../protocol';
import { codeLinkTo } from '../route';
import { LabelField } from './passkeys';

interface WelcomeProps {
  enter: (session: Session) => void;
}

interface SignInProps extends WelcomeProps {
  /// There was a session, and it is over.
  ended: boolean;
  /// The request that the address names.
  request: string | null;
}

export function SignInView({ enter, ended, request }: SignInProps) {
  const attempt = useAttempt(async () => {
    const challenge = await api.signInChallenge();
    enter(await api.signIn(await sign(challenge)));
  });
  const ways = useLoaded(api.ways);
  return (
    <div class="welcome">
      <Mark />
      <View title="Sign in">
        <p>
          {request !== null
            ? 'A host waits for a decision. Sign in to see it; opening this page has decided nothing.'
            : 'See which host asks for its key, and decide.'}
        </p>
        {ended && !attempt.note && <Note tone="calm">Your session has ended. Sign in again to go on.</Note>}
        {attempt.note}
        <button type="button" class="primary wide" disabled={attempt.busy} onClick={attempt.run}>
          {attempt.busy ? 'Waiting for your passkey…' : 'Sign in with a passkey'}
        </button>
        <p class="quiet">No passkey yet? An owner of this gateway makes you a link to register one.</p>
        <p class="quiet">
          <a href="#recover">I lost my passkey</a>
        </p>
        {ways.value?.totp && (
          <p class="quiet">
            <a href={codeLinkTo(request)}>Use a code instead</a>
          </p>
        )}
      </View>
    </div>
  );
}

export function RegisterView({ enter, invite }: WelcomeProps & { invite: string }) {
  const [label, setLabel] = useState(deviceName(navigator.userAgent));
  const attempt = useAttempt(async () => {
    const challenge = await api.registrationChallenge(invite);
    const session = await api.register(invite, label.trim(), await create(challenge));
    goOn('#requests', () => enter(session));
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

/// By a code on paper: a new passkey for somebody who is an approver already.
export function RecoverView({ enter }: WelcomeProps) {
  const id = useId();
  const [code, setCode] = useState('');
  const [label, setLabel] = useState(deviceName(navigator.userAgent));
  const attempt = useAttempt(async () => {
    const challenge = await api.recoveryChallenge(code);
    const session = await api.recover(code, label.trim(), await create(challenge));
    goOn('#recovered', () => enter(session));
  });
  return (
    <div class="welcome">
      <Mark />
      <View title="I lost my passkey">
        <p>Type one of your recovery codes. It serves once, and makes a new passkey on this device.</p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            attempt.run();
          }}
        >
          <div class="field">
            <label for={id}>Recovery code</label>
            <input
              id={id}
              class="machine"
              required
              maxLength={64}
              value={code}
              placeholder="XXXX-XXXX-XXXX-XXXX-XXXX-XXXX"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck={false}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </div>
          <LabelField label={label} setLabel={setLabel} />
          {attempt.note}
          <button type="submit" class="primary wide" disabled={attempt.busy}>
            {attempt.busy ? 'Waiting for your device…' : 'Make a new passkey'}
          </button>
        </form>
        <p class="quiet">
          No code? An owner of this gateway revokes you and invites you anew. <a href="#requests">Sign in</a>
        </p>
      </View>
    </div>
  );
}

/// After that, already signed in.
export function RecoveredView() {
  return (
    <div class="welcome">
      <Mark />
      <View title="You have a new passkey">
        <Note tone="good">The code is used up, and you are signed out everywhere else.</Note>
        <p>The passkey that you lost still counts. Remove it now, under Passkeys.</p>
        <button type="button" class="primary wide" onClick={() => (window.location.hash = '#passkeys')}>
          Go to my passkeys
        </button>
      </View>
    </div>
  );
}

/// To a view, in place of this one.
export function goOn(hash: string, enter: () => void): void {
  history.replaceState(null, '', hash);
  enter();
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/// Something tried at the press of a button, with what went wrong the last time.
export function useAttempt(task: () => Promise<void>) {
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
