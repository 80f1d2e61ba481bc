// One request as a card: who asks, for what, what is unusual about it, and the two buttons. What became of it takes the
// place of the buttons, so that the card keeps its height and the next one does not slide under the thumb.

import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { api, now, Problem } from '../api';
import { hasEnded, modelOf, outcomeOf, type CardModel, type Fact } from '../card';
import { inWords } from '../hooks';
import { sign } from '../passkey';
import type { Card, Decision } from '../protocol';
import type { Requests } from '../requests';
import { linkTo } from '../route';
import { cleanText } from '../text';
import { ago } from '../time';
import { CodeField } from './code_field';
import { Countdown } from './countdown';
import { Icon } from './icon';
import { Text } from './text';
import { Note } from './view';

const kVolumesShown = 4;

interface RequestCardProps {
  card: Card;
  requests: Requests;
  /// Whether it stands in a list, from which it links to its own view and can be put away.
  listed: boolean;
}

export function RequestCard({ card, requests, listed }: RequestCardProps) {
  const model = modelOf(card, now());
  const titleId = useId();
  return (
    <article class={`card ${model.state}`} aria-labelledby={titleId} data-request={card.id}>
      <header>
        <div class="who">
          <h2 id={titleId} tabIndex={-1}>
            {listed ? (
              <a href={linkTo(card.id)}>
                <Text value={model.name} limit={80} />
              </a>
            ) : (
              <Text value={model.name} limit={200} />
            )}
          </h2>
          {model.group && (
            <span class="chip">
              <span class="unseen">Group </span>
              <Text value={model.group} limit={40} />
            </span>
          )}
        </div>
        <p class="quiet asked">
          asked {model.created === null ? 'at an unknown time' : ago(model.created, now())}
          {model.open && model.expires !== null && (
            <Countdown until={model.expires} done={() => void requests.refresh()} />
          )}
        </p>
      </header>
      <Verdict model={model} />
      {model.number !== null && <MatchingNumber number={model.number} />}
      {model.nextBoot !== null && (
        <p class="next-boot">
          Asks for its <strong>next boot</strong>, within {model.nextBoot}: it then unlocks without anybody
          being asked, once.
        </p>
      )}
      {model.drill && (
        <p class="drill">
          <strong>Drill</strong>: tries whether it would come back after a reboot, and opens nothing. Its
          share is released to it all the same, sealed to this host.
        </p>
      )}
      {model.newKeys && (
        <p class="new-keys">
          <strong>New keys</strong>: somebody has said <code>zkv rotate</code> there. It gets its share, and
          may enrol anew under its name; then the old share is destroyed.
        </p>
      )}
      <Volumes volumes={model.volumes} known={card.host !== null} verb={model.drill ? 'Tries' : 'Unlocks'} />
      <Facts title="Seen by the gateway" facts={model.seen} />
      <Facts title="Said by the host" facts={model.said} />
      {!listed && <Fingerprint card={card} />}
      <Decide card={card} model={model} requests={requests} listed={listed} />
    </article>
  );
}

function Verdict({ model }: { model: CardModel }) {
  if (model.looks.length === 0)
    return (
      <p class="verdict calm">
        <Icon shape="check" />
        Nothing unusual about it
      </p>
    );
  return (
    <p class="verdict look">
      <Icon shape="look" />
      <span>{model.looks.join(' · ')}</span>
    </p>
  );
}

function MatchingNumber({ number }: { number: string }) {
  const id = useId();
  const digits = /^\d{2}$/.test(number);
  return (
    <div class="number">
      <p id={id}>The host’s console must show this number</p>
      <p class={digits ? 'digits' : 'digits odd-number'} aria-describedby={id}>
        {digits ? number : <Text value={number} limit={20} />}
      </p>
    </div>
  );
}

function Volumes({ volumes, known, verb }: { volumes: string[]; known: boolean; verb: string }) {
  const rest = volumes.slice(kVolumesShown);
  if (!known)
    return (
      <section class="volumes">
        <h3>{verb}</h3>
        <p class="quiet">Everything this host keeps: it speaks the first protocol, and does not say what.</p>
      </section>
    );
  return (
    <section class="volumes">
      <h3>
        {verb} {volumes.length === 1 ? '1 volume' : `${volumes.length} volumes`}
      </h3>
      <VolumeList volumes={volumes.slice(0, kVolumesShown)} />
      {rest.length > 0 && (
        <details>
          <summary>and {rest.length} more</summary>
          <VolumeList volumes={rest} />
        </details>
      )}
    </section>
  );
}

function VolumeList({ volumes }: { volumes: string[] }) {
  return (
    <ul class="machine">
      {volumes.map((volume, index) => (
        <li key={index}>
          <Text value={volume} limit={300} />
        </li>
      ))}
    </ul>
  );
}

function Facts({ title, facts }: { title: string; facts: Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <section class="facts">
      <h3>{title}</h3>
      <dl>
        {facts.map((fact) => (
          <div key={fact.label} class={fact.tone}>
            <dt>{fact.label}</dt>
            <dd>
              <span class={fact.machine ? 'machine' : ''}>
                <Text value={fact.value} limit={160} />
              </span>
              {fact.remark !== null && fact.remark.toLowerCase() !== fact.value && (
                <span class="remark">{fact.remark}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/// What the passkey's signature binds, for whoever compares it with the log.
function Fingerprint({ card }: { card: Card }) {
  const boot = card.evidence?.boot_id;
  return (
    <details class="fingerprint">
      <summary>Exactly what you decide</summary>
      <dl>
        <dt>Request</dt>
        <dd class="machine">
          <Text value={card.hash} />
        </dd>
        {card.host && (
          <>
            <dt>Host</dt>
            <dd class="machine">
              <Text value={card.host.id} />
            </dd>
          </>
        )}
        {typeof boot === 'string' && (
          <>
            <dt>Boot</dt>
            <dd class="machine">
              <Text value={boot} />
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}

type Step = 'choose' | 'deny' | 'ask' | 'send';

function Decide({ card, model, requests, listed }: RequestCardProps & { model: CardModel }) {
  const [step, setStep] = useState<Step>('choose');
  const [reason, setReason] = useState('');
  const [code, setCode] = useState('');
  const [note, setNote] = useState<{ text: string; calm: boolean } | null>(null);
  const prompt = useRef<AbortController | null>(null);
  const area = useRef<HTMLDivElement>(null);
  const name = cleanText(model.name, 60);

  // A request that ends while the passkey's prompt stands has nothing left to be signed.
  useEffect(() => {
    if (!model.open) prompt.current?.abort();
  }, [model.open]);
  useEffect(() => () => prompt.current?.abort(), []);

  async function byPasskey(decision: Decision, text: string): Promise<Card> {
    const asking = new AbortController();
    prompt.current = asking;
    setStep('ask');
    const challenge = await api.decisionChallenge(card.id, decision);
    const credential = await sign(challenge, asking.signal);
    setStep('send');
    return api.decide(card.id, decision, text, credential);
  }

  async function byCode(decision: Decision, text: string): Promise<Card> {
    setStep('send');
    setCode('');
    return api.decideByCode(card.id, decision, text, code);
  }

  async function decide(decision: Decision): Promise<void> {
    if (requests.byCode && !code.trim()) {
      setNote({ text: 'Type the code that your app shows now.', calm: true });
      return;
    }
    setNote(null);
    try {
      const text = decision === 'deny' ? reason.trim() : '';
      requests.decided(await (requests.byCode ? byCode : byPasskey)(decision, text));
      area.current?.closest('article')?.querySelector('h2')?.focus();
    } catch (error) {
      const words = inWords(error);
      setNote(words.calm ? { ...words, text: `Nothing was decided. ${words.text}` } : words);
      if (error instanceof Problem) await requests.refresh();
    }
    setStep('choose');
  }

  return (
    <div class="decide" ref={area}>
      {note && (model.open || !note.calm) && <Note tone={note.calm ? 'calm' : 'bad'}>{note.text}</Note>}
      {!model.open && <Outcome card={card} model={model} listed={listed} requests={requests} />}
      {model.open && requests.byCode && (step === 'choose' || step === 'deny') && (
        <CodeField of={name} code={code} setCode={setCode} />
      )}
      {model.open && step === 'choose' && (
        <div class={model.looks.length > 0 ? 'buttons' : 'buttons usual'}>
          <button type="button" class="deny" onClick={() => setStep('deny')}>
            <Icon shape="cross" />
            Deny<span class="unseen"> {name}</span>
          </button>
          <button type="button" class="approve" onClick={() => void decide('approve')}>
            <Icon shape="check" />
            Approve<span class="unseen"> {name}</span>
          </button>
        </div>
      )}
      {model.open && step === 'deny' && (
        <DenyForm
          name={name}
          reason={reason}
          setReason={setReason}
          back={() => setStep('choose')}
          deny={() => void decide('deny')}
        />
      )}
      {model.open && (step === 'ask' || step === 'send') && (
        <div class="buttons">
          {step === 'ask' && (
            <button type="button" class="quiet-button" onClick={() => prompt.current?.abort()}>
              Cancel
            </button>
          )}
          <p class="waiting" role="status">
            {step === 'ask' ? 'Waiting for your passkey…' : 'Sending your decision…'}
          </p>
        </div>
      )}
    </div>
  );
}

const kReasons = ['I did not expect this', 'Not now', 'The number does not match'];

interface DenyFormProps {
  name: string;
  reason: string;
  setReason: (reason: string) => void;
  back: () => void;
  deny: () => void;
}

function DenyForm({ name, reason, setReason, back, deny }: DenyFormProps) {
  const first = useRef<HTMLButtonElement>(null);
  const id = useId();
  // Not the field: a phone's keyboard would cover what is being denied.
  useEffect(() => first.current?.focus({ preventScroll: true }), []);
  return (
    <form
      class="deny-form"
      onSubmit={(event) => {
        event.preventDefault();
        deny();
      }}
    >
      <label for={id}>Why? Others read it in the history.</label>
      <div class="suggestions">
        {kReasons.map((text, index) => (
          <button
            key={text}
            ref={index === 0 ? first : null}
            type="button"
            class="suggestion"
            aria-pressed={reason === text}
            onClick={() => setReason(text)}
          >
            {text}
          </button>
        ))}
      </div>
      <input
        id={id}
        maxLength={200}
        placeholder="Another reason, or none"
        value={reason}
        autocomplete="off"
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      <div class="buttons">
        <button type="button" class="quiet-button" onClick={back}>
          Back
        </button>
        <button type="submit" class="deny solid">
          <Icon shape="cross" />
          Deny<span class="unseen"> {name}</span>
        </button>
      </div>
    </form>
  );
}

function Outcome({ card, model, listed, requests }: RequestCardProps & { model: CardModel }) {
  const ended = {
    state: model.state,
    decided_by: card.decided_by,
    next_boot: card.next_boot,
    drill: model.drill,
    new_keys: model.newKeys,
  };
  const { word, sentence } = outcomeOf(ended);
  return (
    <div class={`outcome ${model.state}`}>
      <div>
        <p class="word">{word}</p>
        <p>
          <Text value={sentence} limit={200} />
        </p>
        {card.reason && (
          <p class="reason">
            “<Text value={card.reason} limit={300} />”
          </p>
        )}
      </div>
      {listed && hasEnded(card.state) && (
        <button type="button" class="quiet-button" onClick={() => requests.putAway(card.id)}>
          Put away
          <span class="unseen"> {cleanText(model.name, 60)}</span>
        </button>
      )}
    </div>
  );
}
