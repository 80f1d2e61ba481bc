// Runs down to the moment a request expires. Not read aloud each second: a screen reader finds the moment itself.

import { useEffect, useState } from 'preact/hooks';

import { now } from '../api';
import { countdown, dateTime } from '../time';
import { Icon } from './icon';

const kHurry = 60_000;

/// `done` is called once, when nothing is left.
export function Countdown({ until, done }: { until: number; done: () => void }) {
  const [left, setLeft] = useState(until - now());
  useEffect(() => {
    const timer = window.setInterval(() => {
      const rest = until - now();
      setLeft(rest);
      if (rest > 0) return;
      window.clearInterval(timer);
      done();
    }, 1000);
    return () => window.clearInterval(timer);
  }, [until]);
  return (
    <span class={left < kHurry ? 'countdown hurry' : 'countdown'}>
      <Icon shape="clock" />
      <time
        dateTime={new Date(until).toISOString()}
        aria-label={`expires ${dateTime(until, now())}`}
        role="timer"
      >
        {countdown(left)}
      </time>
    </span>
  );
}
