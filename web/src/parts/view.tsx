// The frame of a view: its heading, which takes the focus when the view opens, and what is said while it loads or fails.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import type { Loaded } from '../hooks';
import { Icon, type Shape } from './icon';
import { Text } from './text';

let opened = false;

export function View({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – zfs-keyvault`;
    // Not on the very first one: the browser has just read out the page.
    if (opened) heading.current?.focus();
    opened = true;
  }, [title]);
  return (
    <main class="view">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </main>
  );
}

/// What was fetched, or that it is still coming, or why it did not.
export function Content<Value>({
  from,
  children,
}: {
  from: Loaded<Value>;
  children: (value: Value) => ComponentChildren;
}) {
  return (
    <>
      {from.failure !== null && (
        <Note tone="bad">
          {from.failure}{' '}
          <button type="button" class="plain" onClick={() => void from.reload()}>
            Try again
          </button>
        </Note>
      )}
      {from.value !== null ? children(from.value) : from.failure === null && <Loading />}
    </>
  );
}

export function Loading() {
  return (
    <p class="quiet loading" role="status">
      Loading…
    </p>
  );
}

const kShapes: Record<'calm' | 'bad' | 'good', Shape> = { calm: 'clock', bad: 'look', good: 'check' };

/// A message about what just happened; read aloud as it appears.
export function Note({ tone, children }: { tone: 'calm' | 'bad' | 'good'; children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon shape={kShapes[tone]} />
      <p>{children}</p>
    </div>
  );
}

/// Where a list has nothing in it.
export function Empty({ shape, children }: { shape: Shape; children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon shape={shape} />
      {children}
    </div>
  );
}

/// Requests whose rows in the gateway's database are damaged: somebody may wait, and the others are shown.
export function DamagedNote({ ids }: { ids: string[] }) {
  if (ids.length === 0) return null;
  return (
    <Note tone="bad">
      The gateway’s database is damaged: {ids.length === 1 ? 'request ' : 'requests '}
      <Text value={ids.join(', ')} limit={200} /> cannot be shown.
    </Note>
  );
}
