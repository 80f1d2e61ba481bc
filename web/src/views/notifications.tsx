// Notifications on this device, and on one's others.

import { useCallback, useEffect, useState } from 'preact/hooks';

import { api, now } from '../api';
import { inWords, useLoaded } from '../hooks';
import { Text } from '../parts/text';
import { Content, Note } from '../parts/view';
import type { Subscription } from '../protocol';
import { isBlocked, ownHash, turnOff, turnOn, whyUnable } from '../push';
import { cleanText } from '../text';
import { ago, parseTime } from '../time';

export function Notifications() {
  const subscriptions = useLoaded(api.subscriptions);
  const [own, setOwn] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ tone: 'good' | 'bad' | 'calm'; text: string } | null>(null);

  const look = useCallback(async (): Promise<void> => {
    await subscriptions.reload();
    setOwn(await ownHash());
  }, []);
  useEffect(() => void look(), []);

  /// Does it, says what came of it, and looks again.
  function act(work: () => Promise<string>): void {
    setBusy(true);
    setSaid(null);
    work()
      .then((text) => setSaid({ tone: 'good', text }))
      .catch((error: unknown) => {
        const { text, calm } = inWords(error);
        setSaid({ tone: calm ? 'calm' : 'bad', text });
      })
      .finally(() => {
        void look().then(() => setBusy(false));
      });
  }

  async function remove(one: Subscription): Promise<string> {
    if (one.hash === own) await turnOff();
    await api.unsubscribe(one.id);
    return 'Removed.';
  }

  return (
    <section class="panel notifications">
      <h2>Notifications on this device</h2>
      <Content from={subscriptions}>
        {(list) => {
          const mine = list.find((one) => one.hash === own);
          return (
            <>
              <Switch mine={mine} busy={busy} act={act} remove={remove} />
              {list.length > 0 && <Devices list={list} own={own} busy={busy} act={act} remove={remove} />}
            </>
          );
        }}
      </Content>
      {said !== null && <Note tone={said.tone}>{said.text}</Note>}
    </section>
  );
}

interface Doing {
  busy: boolean;
  act: (work: () => Promise<string>) => void;
  remove: (one: Subscription) => Promise<string>;
}

function Switch({ mine, busy, act, remove }: Doing & { mine: Subscription | undefined }) {
  const unable = whyUnable();
  if (unable !== null) return <p class="quiet">{unable}</p>;
  if (mine)
    return (
      <button
        type="button"
        class="quiet-button"
        disabled={busy}
        onClick={() => act(() => remove(mine).then(() => 'Turned off.'))}
      >
        Turn off
      </button>
    );
  if (isBlocked())
    return (
      <p class="quiet">
        The browser blocks notifications of this page. Allow them in its settings for this page, then reload
        it.
      </p>
    );
  return (
    <>
      <p class="quiet">Shows here that a machine asks, also when this page is closed.</p>
      <button
        type="button"
        class="primary"
        disabled={busy}
        onClick={() => act(() => turnOn().then(() => 'Turned on. Send a test to see it.'))}
      >
        Turn on
      </button>
    </>
  );
}

function Devices({ list, own, busy, act, remove }: Doing & { list: Subscription[]; own: string | null }) {
  return (
    <>
      <ul class="rows">
        {list.map((one) => (
          <Device
            key={one.id}
            one={one}
            isThis={one.hash === own}
            busy={busy}
            remove={() => act(() => remove(one))}
          />
        ))}
      </ul>
      <button
        type="button"
        class="quiet-button"
        disabled={busy}
        onClick={() => act(() => api.testPush().then(() => 'A test is on its way to each device above.'))}
      >
        Send a test
      </button>
    </>
  );
}

interface DeviceProps {
  one: Subscription;
  isThis: boolean;
  busy: boolean;
  remove: () => void;
}

function Device({ one, isThis, busy, remove }: DeviceProps) {
  const told = parseTime(one.last_told);
  return (
    <li class="row" data-subscription={one.id}>
      <span class="row-main">
        <span class="row-title">
          <Text value={one.label} limit={80} /> {isThis && <span class="chip">this device</span>}
        </span>
        <span class="quiet">
          {told === null ? 'no message yet' : `last message ${ago(told, now())}`} · by{' '}
          <Text value={one.service} limit={60} />
          {one.failure !== null && (
            <>
              {' '}
              · not delivered: <Text value={one.failure} limit={120} />
            </>
          )}
        </span>
      </span>
      <button type="button" class="quiet-button danger" disabled={busy} onClick={remove}>
        Remove<span class="unseen"> {cleanText(one.label, 60)}</span>
      </button>
    </li>
  );
}
