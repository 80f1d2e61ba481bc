// What gives or takes power wants a fresh answer of a passkey over exactly that, not only a session.

import { api } from './api';
import { sign } from './passkey';
import type { Assertion } from './protocol';

/// Has a passkey of the person's confirm the act. Throws `PasskeyFailure`, and what a call throws.
export async function confirm(act: string, ...about: string[]): Promise<Assertion> {
  return sign(await api.confirmationChallenge(act, about));
}
