// Signing in with a code of an authenticator app, where the passkey is not at hand.

import { useId, useState } from 'preact/hooks';

import { api } from '../api';
import { CodeField } from '../parts/code_field';
import { Mark } from '../parts/icon';
import { View } from '../parts/view';
import type { Session } from '../protocol';
import { linkTo } from '../route';
import { goOn, useAttempt } from './welcome';

interface CodeSignInProps {
  enter: (session: Session) => void;
  /// Where to go on to; null: to all that are open.
  request: string | null;
}

export function CodeSignInView({ enter, request }: CodeSignInProps) {
  const id = useId();
  const [name, setName] = useState('');
  const [code, setCode] = useState('');
  const attempt = useAttempt(async () => {
    setCode('');
    const session = await api.signInByCode(name.trim(), code);
    goOn(request === null ? '#requests' : linkTo(request), () => enter(session));
  });
  return (
    <div class="welcome">
      <Mark />
      <View title="Use a code">
        <p>
          For ten minutes, and for some hosts only. Look at the address first: a code that is typed into a
          false page is given away, which cannot happen to a passkey.
        </p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            attempt.run();
          }}
        >
          <div class="field">
            <label for={id}>Your name here</label>
            <input
              id={id}
              required
              maxLength={64}
              value={name}
              autocomplete="username"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <CodeField code={code} setCode={setCode} />
          {attempt.note}
          <button type="submit" class="primary wide" disabled={attempt.busy}>
            {attempt.busy ? 'Asking…' : 'Sign in with the code'}
          </button>
        </form>
        <p class="quiet">
          <a href="#requests">Use my passkey</a>
        </p>
      </View>
    </div>
  );
}
