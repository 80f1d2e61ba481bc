// The whole page: who is signed in, which view the address names, and the bars around it.

import { useEffect, useState } from 'preact/hooks';

import { api, onSignedOut, Problem } from './api';
import { inWords, useRoute } from './hooks';
import { CodeBanner } from './parts/code_banner';
import { Icon, type Shape } from './parts/icon';
import { Text } from './parts/text';
import { Loading, Note, View } from './parts/view';
import type { Session } from './protocol';
import { useRequests, type Requests } from './requests';
import type { Route } from './route';
import { CodeSignInView } from './views/code_sign_in';
import { HistoryView } from './views/history';
import { HostsView } from './views/hosts';
import { PasskeysView } from './views/passkeys';
import { PeopleView } from './views/people';
import { RequestView } from './views/request';
import { RequestsView } from './views/requests';
import { RecoveredView, RecoverView, RegisterView, SignInView } from './views/welcome';

type Who = { is: 'unknown' } | { is: 'nobody'; ended: boolean } | { is: 'somebody'; session: Session };

/// Who is there, or in words why that is not known.
export interface Start {
  who: Who;
  failure: string | null;
}

export async function findOut(): Promise<Start> {
  try {
    return { who: { is: 'somebody', session: await api.session() }, failure: null };
  } catch (error) {
    if (error instanceof Problem && error.status === 401)
      return { who: { is: 'nobody', ended: false }, failure: null };
    return { who: { is: 'unknown' }, failure: inWords(error).text };
  }
}

export function App({ start }: { start: Start }) {
  const route = useRoute();
  const [{ who, failure }, setStart] = useState(start);
  const setWho = (next: Who): void => setStart({ who: next, failure: null });

  useEffect(
    () =>
      onSignedOut(() =>
        setStart((before) =>
          before.who.is === 'somebody' ? { who: { is: 'nobody', ended: true }, failure: null } : before,
        ),
      ),
    [],
  );

  const enter = (session: Session): void => setWho({ is: 'somebody', session });
  if (route.view === 'register') return <RegisterView enter={enter} invite={route.invite} />;
  if (who.is === 'somebody' && route.view === 'recovered') return <RecoveredView />;
  if (who.is === 'somebody')
    return (
      <SignedIn
        key={`${who.session.approver.id} ${who.session.by}`}
        session={who.session}
        route={route}
        leave={() => setWho({ is: 'nobody', ended: false })}
      />
    );
  if (who.is === 'nobody' && route.view === 'recover') return <RecoverView enter={enter} />;
  if (who.is === 'nobody' && route.view === 'code')
    return <CodeSignInView enter={enter} request={route.request} />;
  if (who.is === 'nobody')
    return (
      <SignInView enter={enter} ended={who.ended} request={route.view === 'request' ? route.id : null} />
    );
  return <Starting failure={failure} again={() => void findOut().then(setStart)} />;
}

function Starting({ failure, again }: { failure: string | null; again: () => void }) {
  return (
    <div class="welcome">
      <View title="zfs-keyvault">
        {failure === null ? (
          <Loading />
        ) : (
          <>
            <Note tone="bad">{failure}</Note>
            <button type="button" class="primary wide" onClick={again}>
              Try again
            </button>
          </>
        )}
      </View>
    </div>
  );
}

function SignedIn({ session, route, leave }: { session: Session; route: Route; leave: () => void }) {
  const byCode = session.by === 'totp';
  const requests = useRequests(byCode);
  return (
    <div class="page">
      <header class="bar">
        <img src="/icons/icon.svg" width="28" height="28" alt="" />
        <span class="gateway">
          <Text value={session.gateway} limit={60} />
        </span>
        <ConnectionState requests={requests} />
      </header>
      <ConnectionLost requests={requests} />
      {byCode && <CodeBanner session={session} leave={leave} />}
      <CurrentView session={session} route={route} leave={leave} requests={requests} />
      <Navigation session={session} route={route} requests={requests} />
    </div>
  );
}

interface CurrentViewProps {
  session: Session;
  route: Route;
  requests: Requests;
  leave: () => void;
}

function CurrentView({ session, route, requests, leave }: CurrentViewProps) {
  if (requests.byCode && route.view !== 'request') return <RequestsView requests={requests} />;
  switch (route.view) {
    case 'request':
      return <RequestView key={route.id} id={route.id} requests={requests} />;
    case 'history':
      return <HistoryView requests={requests} />;
    case 'hosts':
      return <HostsView session={session} />;
    case 'passkeys':
      return <PasskeysView session={session} leave={leave} />;
    case 'people':
      return <PeopleView session={session} />;
    default:
      return <RequestsView requests={requests} />;
  }
}

function ConnectionState({ requests }: { requests: Requests }) {
  const words = { connecting: 'connecting', live: 'live', lost: 'not connected' }[requests.connection];
  return <span class={`connection ${requests.connection}`}>{words}</span>;
}

function ConnectionLost({ requests }: { requests: Requests }) {
  return (
    <div role="status">
      {requests.connection === 'lost' && (
        <div class="lost-banner">
          <Icon shape="lost" />
          <p>Connection lost. What you see may be out of date.</p>
          <button type="button" class="quiet-button" onClick={requests.reconnect}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}

const kTabs: { view: Shape & Route['view']; name: string; byCode?: boolean; ownersOnly?: boolean }[] = [
  { view: 'requests', name: 'Requests', byCode: true },
  { view: 'history', name: 'History' },
  { view: 'hosts', name: 'Hosts' },
  { view: 'passkeys', name: 'Passkeys' },
  { view: 'people', name: 'People', ownersOnly: true },
];

function Navigation({ session, route, requests }: { session: Session; route: Route; requests: Requests }) {
  const waiting = requests.board?.filter((card) => card.state === 'pending').length ?? 0;
  const tabs = kTabs.filter(
    (tab) => (tab.byCode ?? !requests.byCode) && (!tab.ownersOnly || session.approver.role === 'owner'),
  );
  return (
    <nav aria-label="Views">
      <ul>
        {tabs.map(({ view, name }) => (
          <li key={view}>
            <a href={`#${view}`} aria-current={route.view === view ? 'page' : undefined}>
              <span class="tab-icon">
                <Icon shape={view} />
                {view === 'requests' && waiting > 0 && (
                  <span class="badge">
                    {waiting}
                    <span class="unseen"> waiting, </span>
                  </span>
                )}
              </span>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
