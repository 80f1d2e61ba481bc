// The newest requests of all, and what became of each.

import { useEffect } from 'preact/hooks';

import { api, now } from '../api';
import { modelOf, outcomeOf } from '../card';
import { useLoaded } from '../hooks';
import { Text } from '../parts/text';
import { Content, Empty, View } from '../parts/view';
import type { Card } from '../protocol';
import type { Requests } from '../requests';
import { linkTo } from '../route';
import { dateTime } from '../time';

export function HistoryView({ requests }: { requests: Requests }) {
  const all = useLoaded(api.allRequests);
  const states = requests.board?.map((card) => card.id + card.state).join();
  useEffect(() => {
    if (all.value !== null) void all.reload();
  }, [states]);
  return (
    <View title="History">
      <Content from={all}>
        {(cards) =>
          cards.length === 0 ? (
            <Empty shape="history">
              <p>No host has asked yet.</p>
            </Empty>
          ) : (
            <ul class="rows">
              {cards.map((card) => (
                <Row key={card.id} card={card} />
              ))}
            </ul>
          )
        }
      </Content>
    </View>
  );
}

function Row({ card }: { card: Card }) {
  const model = modelOf(card, now());
  const { word } = outcomeOf({ state: model.state, decided_by: null });
  return (
    <li>
      <a class="row" href={linkTo(card.id)}>
        <span class="row-main">
          <span class="row-title">
            <Text value={model.name} limit={60} />
          </span>
          <span class="quiet">
            {model.created === null ? '' : dateTime(model.created, now())}
            {card.decided_by && (
              <>
                {' · '}
                <Text value={card.decided_by} limit={40} />
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
