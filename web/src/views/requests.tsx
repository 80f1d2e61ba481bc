// The open requests, oldest first, as cards to decide.

import { useEffect } from 'preact/hooks';

import { RequestCard } from '../parts/request_card';
import { DamagedNote, Empty, Loading, Note, View } from '../parts/view';
import type { Requests } from '../requests';

export function RequestsView({ requests }: { requests: Requests }) {
  useEffect(() => () => requests.putAway(), []);
  const { board, failure } = requests;
  return (
    <View title="Requests">
      {board === null && (failure === null ? <Loading /> : <Note tone="bad">{failure}</Note>)}
      <DamagedNote ids={requests.damaged} />
      {board?.length === 0 && requests.damaged.length === 0 && (
        <Empty shape="check">
          <p>No host is waiting.</p>
          <p class="quiet">A new request appears here by itself.</p>
        </Empty>
      )}
      <div class="cards">
        {board?.map((card) => <RequestCard key={card.id} card={card} requests={requests} listed />)}
      </div>
      {requests.more && (
        <Note tone="calm">More hosts wait than are shown. They come as these are decided.</Note>
      )}
    </View>
  );
}
