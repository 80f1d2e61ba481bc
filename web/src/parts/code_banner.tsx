// What one may do who signed in with a code, until when, and the way out.

import { now } from '../api';
import { useSignOut } from '../hooks';
import type { Session } from '../protocol';
import { dateTime, parseTime } from '../time';
import { Icon } from './icon';
import { Text } from './text';

export function CodeBanner({ session, leave }: { session: Session; leave: () => void }) {
  const { signOut, failure } = useSignOut(leave);
  const until = parseTime(session.expires_at);

  return (
    <div class="code-banner">
      <Icon shape="clock" />
      <p>
        <Text value={session.approver.name} limit={60} />, with a code
        {until !== null && ` until ${dateTime(until, now())}`}: only requests that codes may decide, each with
        a new code.
        {failure !== null && ` ${failure}`}
      </p>
      <button type="button" class="quiet-button" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}
