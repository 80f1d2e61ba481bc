// One's recovery codes: how many are left, and new ones, which are shown once.

import { useState } from 'preact/hooks';

import { api, now } from '../api';
import { confirm } from '../confirm';
import { useLoaded } from '../hooks';
import { Dialog } from '../parts/dialog';
import { Text } from '../parts/text';
import { Content } from '../parts/view';
import type { Recovery, Session } from '../protocol';
import { dateTime, parseTime } from '../time';

export function RecoveryCodes({ session }: { session: Session }) {
  const recovery = useLoaded(api.recovery);
  const [asking, setAsking] = useState(false);
  return (
    <section class="panel">
      <h2>Recovery codes</h2>
      <Content from={recovery}>
        {(state) => (
          <p class="quiet" data-codes-left={state.left}>
            {inWords(state)}
          </p>
        )}
      </Content>
      <p class="quiet">On paper, for the day when you have lost every passkey. Each makes one new passkey.</p>
      <button type="button" class="quiet-button" onClick={() => setAsking(true)}>
        {recovery.value?.left ? 'Make new ones' : 'Make recovery codes'}
      </button>
      {asking && (
        <MakeDialog
          session={session}
          left={recovery.value?.left ?? 0}
          reload={recovery.reload}
          close={() => setAsking(false)}
        />
      )}
    </section>
  );
}

function inWords({ left, made_at }: Recovery): string {
  const made = parseTime(made_at);
  if (left === 0) return 'You have none.';
  return `${left} left${made === null ? '' : `, made ${dateTime(made, now())}`}.`;
}

interface MakeProps {
  session: Session;
  left: number;
  reload: () => Promise<void>;
  close: () => void;
}

function MakeDialog({ session, left, reload, close }: MakeProps) {
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes) return <CodesDialog key="codes" session={session} codes={codes} close={close} />;
  return (
    <Dialog
      key="make"
      title="Make recovery codes?"
      verb="Make them"
      stays
      close={close}
      act={async () => {
        setCodes(await api.makeRecoveryCodes(await confirm('recovery.make')));
        await reload();
      }}
    >
      <p>Your passkey confirms it. Ten codes are then shown once: have paper, or a printer, at hand.</p>
      {left > 0 && <p>The codes that you have now end.</p>}
    </Dialog>
  );
}

function CodesDialog({ session, codes, close }: { session: Session; codes: string[]; close: () => void }) {
  const [copied, setCopied] = useState<'yes' | 'no' | null>(null);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(codes.join('\n'));
      setCopied('yes');
    } catch {
      setCopied('no');
    }
  }

  return (
    <Dialog
      title="Your recovery codes"
      verb="I have them on paper"
      told
      close={close}
      act={() => Promise.resolve()}
    >
      <p>Nobody can show them again. Whoever has one can become you, once: lock them away.</p>
      <div class="codes">
        <p class="quiet">
          zfs-keyvault at <Text value={session.gateway} limit={60} />, recovery codes of{' '}
          <Text value={session.approver.name} limit={60} />, {new Date(now()).toISOString().slice(0, 10)}
        </p>
        <ol class="machine">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ol>
      </div>
      <div class="buttons">
        <button type="button" class="quiet-button" onClick={() => void copy()}>
          {copied === 'yes' ? 'Copied' : 'Copy'}
        </button>
        <button type="button" class="quiet-button" onClick={() => window.print()}>
          Print
        </button>
      </div>
      <p class="quiet" role="status">
        {copied === 'no' &&
          'The browser does not let this page copy: select the codes and copy them yourself.'}
      </p>
    </Dialog>
  );
}
