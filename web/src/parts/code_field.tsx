// Where the code of an authenticator app is typed, or put in by the phone itself.

import { useId } from 'preact/hooks';

interface CodeFieldProps {
  /// Which of several, for who hears the page.
  of?: string;
  code: string;
  setCode: (code: string) => void;
}

export function CodeField({ of, code, setCode }: CodeFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        Code from your app
        {of && <span class="unseen"> for {of}</span>}
      </label>
      <input
        id={id}
        class="machine code"
        required
        maxLength={7}
        value={code}
        inputmode="numeric"
        autocomplete="one-time-code"
        onInput={(event) => setCode(event.currentTarget.value)}
      />
    </div>
  );
}
