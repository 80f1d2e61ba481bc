// All requests, newest first, and what became of each.

import { useEffect, useState } from 'preact/hooks';

import { api, now } from '../api';
import { deciderOf, modelOf, outcomeOf } from '../card';
import { inWords, useLoaded } from '../hooks';
import { Text } from '../parts/text';
import { Content, DamagedNote, Empty, Note, View } from '../parts/view';
import type { Card } from '../protocol';
import type { Requests } from '../requests';
import { linkTo } from '../route';
import { dateTime } from '../time';

export function HistoryView({ requests }: { requests: Requests }) {
  const newest = useLoaded(() => api.history());
  const [before, setBefore] = useState<{ cards: Card[]; more: boolean } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const states = requests.board?.map((card) => card.id + card.state).join();
  useEffect(() => {
    if (newest.value !== null) void newest.reload();
  }, [states]);

  async function goOn(shown: Card[]): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      const page = await api.history(shown.at(-1)?.id);
      setBefore({ cards: united(shown, page.requests), more: page.more });
    } catch (error) {
      setFailure(inWords(error).text);
    }
    setBusy(false);
  }

  return (
    <View title="History">
      <Content from={newest}>
        {(first) => {
          const cards = united(first.requests, before?.cards ?? []);
          if (cards.length === 0)
            return (
              <Empty shape="history">
                <p>No host has asked yet.</p>
              </Empty>
            );
          return (
            <>
              <DamagedNote ids={first.damaged ?? []} />
              <ul class="rows">
                {cards.map((card) => (
                  <Row key={card.id} card={card} />
                ))}
              </ul>
              {(before ?? first).more && (
                <button type="button" class="quiet-button" disabled={busy} onClick={() => void goOn(cards)}>
                  Show older ones
                </button>
              )}
              {failure !== null && <Note tone="bad">{failure}</Note>}
            </>
          );
        }}
      </Content>
    </View>
  );
}

/// The pages move on when somebody asks: what the first says counts, and what it no longer holds stays behind it.
function united(first: Card[], then: Card[]): Card[] {
  const ids = new Set(first.map((card) => card.id));
  return [...first, ...then.filter((card) => !ids.has(card.id))];
}

function Row({ card }: { card: Card }) {
  const model = modelOf(card, now());
  const { word } = outcomeOf({
    state: model.state,
    decided_by: null,
    next_boot: card.next_boot,
    drill: model.drill,
    new_keys: model.newKeys,
  });
  return (
    <li>
      <a class="row" href={linkTo(card.id)}>
        <span class="row-main">
          <span class="row-title">
            <Text value={model.name} limit={60} /> {model.drill && <span class="chip">Drill</span>}
            {model.newKeys && <span class="chip">New keys</span>}
          </span>
          <span class="quiet">
            {model.created === null ? '' : dateTime(model.created, now())}
            {card.decided_by && (
              <>
                {' · '}
                <Text value={deciderOf(card.decided_by)} limit={60} />
              </>
            )}
          </span>
          {card.reason && (
            <span class="quiet reason">
              “<Text value={card.reason} limit={120} />”
            </span>
          )}
        </span>
        <span class={`state ${model.state}`}>{word}</span>
      </a>
    </li>
  );
}
