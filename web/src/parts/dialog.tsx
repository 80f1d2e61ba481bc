// A question that wants an answer before anything else: the browser's own dialog, which keeps the focus and gives it back.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { inWords } from '../hooks';
import { Note } from './view';

interface DialogProps {
  title: string;
  /// The word on the button that does it.
  verb: string;
  danger?: boolean;
  /// There is nothing to cancel: one button.
  told?: boolean;
  /// Whoever opened it puts another in its place when it succeeds.
  stays?: boolean;
  children: ComponentChildren;
  /// Does it; the dialog closes when it succeeds and shows why not otherwise.
  act: () => Promise<void>;
  close: () => void;
}

export function Dialog(props: DialogProps) {
  const { title, verb, danger = false, told = false, stays = false, children, act, close } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const id = useId();

  // Before the next frame: whoever opened it has the focus now, and may not have it then.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else document.querySelector('h1')?.focus();
    };
  }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await act();
      if (!stays) close();
    } catch (error) {
      setFailure(inWords(error).text);
      setBusy(false);
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={id}>{title}</h2>
        {children}
        {failure !== null && <Note tone="bad">{failure}</Note>}
        <div class="buttons">
          {!told && (
            <button type="button" class="quiet-button" onClick={close}>
              Cancel
            </button>
          )}
          <button type="submit" class={danger ? 'deny solid' : 'primary'} disabled={busy}>
            {verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}
