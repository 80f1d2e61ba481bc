// A stand-in for a push service (RFC 8030) and the browsers behind it, on loopback. Run as
//   node push.mjs [--port N] [--http-port N] [--control-port N]
// it prints its addresses as one line of JSON. lib/control.mjs and `control` below say how tests steer it.

import { runStandIn } from './lib/server.mjs';
import { Browsers } from './push/browsers.mjs';
import { Deliveries } from './push/deliveries.mjs';
import { refusal } from './push/rules.mjs';

const browsers = new Browsers();
const deliveries = new Deliveries(browsers);

await runStandIn({
  name: 'push',
  faults: [],
  answer: (request) => deliveries.answer(request),
  faultAnswer: ({ fault, retryAfter }) => refusal(Number(fault), 'as the test wished', retryAfter),
  control: {
    /// A browser subscribes: { key } is the applicationServerKey that it binds the subscription to, if given.
    'POST /subscriptions': ({ key }) => browsers.subscribe(key),
    'POST /subscriptions/end': ({ id }) => browsers.end(id),
    /// What arrived and could be read, oldest first; `GET /messages?after=N&wait=SECONDS&subscription=ID` waits for one.
    'GET /messages': (_, query) => deliveries.messages(query),
  },
  facts: () => ({}),
});
