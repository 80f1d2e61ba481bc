// One request by its link, open or long ended.

import { useEffect, useState } from 'preact/hooks';

import { api } from '../api';
import { inWords } from '../hooks';
import { RequestCard } from '../parts/request_card';
import { Empty, Loading, Note, View } from '../parts/view';
import type { Card } from '../protocol';
import type { Requests } from '../requests';

export function RequestView({ id, requests }: { id: string; requests: Requests }) {
  const onTable = requests.board?.find((card) => card.id === id);
  const [older, setOlder] = useState<Card | null | undefined>(undefined);
  const [failure, setFailure] = useState<string | null>(null);
  const mustLook = requests.board !== null && !onTable;

  useEffect(() => {
    if (!mustLook) return;
    api.card(id).then(
      (found) => {
        setOlder(found);
        setFailure(null);
      },
      (error: unknown) => setFailure(inWords(error).text),
    );
  }, [id, mustLook, requests.connection]);

  const card = onTable ?? older;
  const trouble = failure ?? (requests.board === null ? requests.failure : null);
  return (
    <View title="Request">
      {card && <RequestCard card={card} requests={requests} listed={false} />}
      {!card && trouble !== null && <Note tone="bad">{trouble}</Note>}
      {!card && trouble === null && card === undefined && <Loading />}
      {card === null && (
        <Empty shape="history">
          <p>This request is not known here any more.</p>
        </Empty>
      )}
      <p>
        <a class="more" href="#requests">
          All open requests
        </a>
      </p>
    </View>
  );
}
