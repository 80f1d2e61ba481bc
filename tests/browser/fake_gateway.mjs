// A small gateway for the page alone: serves web/dist under the gateway's policy, and keeps in memory what
// docs/protocol-v2.md, "People: sign in, see, decide", says. It verifies passkeys for real; it releases nothing.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

import { FakePush } from './fake_push.mjs';
import { FakeTotp } from './fake_totp.mjs';
import { claimedChallenge, verifyAssertion, verifyRegistration } from './fake_webauthn.mjs';

const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
  "require-trusted-types-for 'script'";
const kKinds = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
const kCrockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const kChallengeLife = 2 * 60_000;
const kSessionLife = 60 * 60_000;
const kPage = 100;
const kByCode = [
  'GET session',
  'DELETE session',
  'GET requests',
  'GET events',
  'GET requests/:id/card',
  'POST requests/:id/decision',
];
const kOpen = ['pending', 'approved', 'released'];

class Refusal extends Error {
  constructor(status, name, detail) {
    super(detail);
    Object.assign(this, { status, name });
  }
}

const random = (size) => randomBytes(size).toString('base64url');
const time = (milliseconds) => (milliseconds === null ? null : new Date(milliseconds).toISOString());

export class FakeGateway {
  #folder;
  #server = createServer((request, response) => void this.#answer(request, response));
  #challenges = new Map();
  #sessions = new Map();
  #streams = new Set();
  #invites = new Map();
  #codes = new Map();
  approvers = new Map();
  passkeys = new Map();
  hosts = new Map();
  requests = [];
  push = new FakePush();
  totp = new FakeTotp();

  /// `folder` holds the built page.
  constructor(folder) {
    this.#folder = folder;
  }

  async start() {
    await new Promise((resolve) => this.#server.listen(0, 'localhost', resolve));
    this.origin = `http://localhost:${this.#server.address().port}`;
    this.#comments = setInterval(() => this.#tell(': still here\n\n'), 25_000);
  }
  #comments;

  stop() {
    clearInterval(this.#comments);
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  // What the tests do to the world.

  invite(name, role) {
    const token = random(20);
    const hash = randomBytes(8).toString('hex');
    this.#invites.set(token, { name, role, hash, made: Date.now(), ends: Date.now() + 3600_000 });
    return token;
  }

  /// A host asks. `spec` replaces members of its card.
  ask(spec = {}) {
    const name = spec.host?.name ?? 'nas';
    const id = spec.id ?? random(32);
    const host = spec.host === null ? null : this.#hostOf(name, spec.host?.group ?? 'home');
    this.requests.push({
      id,
      hash: createHash('sha256').update(id).digest('hex'),
      state: 'pending',
      created_at: time(Date.now()),
      expires_at: time(Date.now() + 15 * 60_000),
      decided_by: null,
      reason: null,
      address: '192.0.2.7',
      address_name: 'dsl-7.example.net',
      volumes: ['tank/home'],
      number: '47',
      evidence: {
        boot_id: '0b7f0c52-6e1c-4d0a-8a55-54c1b1a0f6de',
        kernel: '6.1.0-28-amd64',
        hostname: name,
        uptime: 42,
        addresses: ['192.0.2.7'],
        planned: true,
      },
      compared: {
        first_from_address: false,
        kernel_changed: false,
        last_release: time(Date.now() - 26 * 3600_000),
        replaces_other_boot: false,
      },
      next_boot: null,
      ...spec,
      host,
    });
    this.#tellChanged();
    return id;
  }

  /// Moves a request on without a person: expired, cancelled, superseded, acknowledged, …
  become(id, state) {
    this.#request(id).state = state;
    this.#tellChanged();
  }

  expireChallenges() {
    for (const challenge of this.#challenges.values()) challenge.ends = 0;
  }

  endSessions() {
    this.#sessions.clear();
  }

  #hostOf(name, group) {
    const id = createHash('sha256').update(name).digest('hex');
    const old = this.hosts.get(id);
    this.hosts.set(id, {
      enrolled_at: time(Date.now() - 40 * 86400_000),
      revoked_at: null,
      next_boot: null,
      ...old,
      ...{ id, name, group, last_seen: time(Date.now()), last_address: '192.0.2.7' },
    });
    return { id, name, group };
  }

  // Answers.

  async #answer(request, response) {
    const url = new URL(request.url, this.origin);
    try {
      if (!url.pathname.startsWith('/v2/')) return this.#serveFile(url.pathname, response);
      if (request.method !== 'GET' && request.headers.origin !== this.origin)
        throw new Refusal(403, 'origin', 'This call came from another page.');
      await this.#route(request, url, response);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'malformed', error.message);
      response.writeHead(refusal.status, { 'Content-Type': 'application/problem+json' });
      const type = `https://zfs-keyvault.invalid/problems/${refusal.name}`;
      response.end(JSON.stringify({ type, status: refusal.status, detail: refusal.message }));
    }
  }

  #serveFile(path, response) {
    const file = normalize(join(this.#folder, path === '/' ? 'index.html' : path));
    let body;
    try {
      body = readFileSync(file);
    } catch {
      throw new Refusal(404, 'not-found', 'There is no such page.');
    }
    response.writeHead(200, {
      'Content-Type': kKinds[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': kPolicy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(body);
  }

  async #route(request, url, response) {
    const [, , room, id, act] = url.pathname.split('/').map(decodeURIComponent);
    const body = request.method === 'POST' || request.method === 'PATCH' ? await readJson(request) : {};
    const call = `${request.method} ${room}${id === undefined ? '' : this.#fixed(id)}${act ? `/${act}` : ''}`;
    const who = { token: cookieOf(request), id, body, url, response };
    const open = this.#openCalls[call];
    if (open) return open(who);
    const route = this.#calls[call];
    if (!route && room !== 'push') throw new Refusal(404, 'not-found', 'There is no such call.');
    const session = this.#sessions.get(who.token);
    if (!session || session.ends < Date.now()) throw new Refusal(401, 'session', 'Sign in first.');
    if (room === 'push') {
      const [status, answer] = this.push.answer(request.method, id, act, body, session.approver);
      if (status === 404) throw new Refusal(404, 'not-found', 'There is no such subscription.');
      return send(response, status, answer);
    }
    if (session.by === 'totp' && !kByCode.includes(call))
      throw new Refusal(403, 'limited', 'You signed in with a code.');
    return route({ ...who, me: session.approver, by: session.by });
  }

  #fixed(id) {
    return ['challenge', 'invites', 'ways', 'totp', 'first-code', 'removal'].includes(id) ? `/${id}` : '/:id';
  }

  #openCalls = {
    'POST registrations/challenge': ({ body, response }) => {
      const invite = this.#validInvite(body.invite);
      invite.id ??= random(16);
      send(response, 200, this.#registrationChallenge({ id: invite.id, name: invite.name }));
    },
    'POST registrations': ({ body, response }) => {
      const invite = this.#validInvite(body.invite);
      const { user } = this.#spend(body.credential, 'register');
      const approver = { ...user, role: invite.role, created_at: time(Date.now()), last_used: null };
      this.#addPasskey(approver, body);
      this.#invites.delete(body.invite);
      this.approvers.set(approver.id, approver);
      this.#open(approver, response, 201);
    },
    'POST recoveries/challenge': ({ body, response }) => {
      const { id, name } = this.#ownerOf(body.code);
      send(response, 200, this.#registrationChallenge({ id, name }));
    },
    'POST recoveries': ({ body, response }) => {
      const owner = this.#ownerOf(body.code);
      if (this.#spend(body.credential, 'register').user.id !== owner.id)
        throw new Refusal(409, 'challenge', 'This was made for somebody else.');
      this.#addPasskey(owner, body);
      this.#codes.delete(plainCode(body.code));
      for (const [key, { approver }] of this.#sessions)
        if (approver.id === owner.id) this.#sessions.delete(key);
      this.#open(owner, response, 201);
    },
    'POST session/challenge': ({ response }) => {
      send(response, 200, { challenge: this.#challenge('sign-in'), rp: { id: 'localhost' } });
    },
    'GET session/ways': ({ response }) => send(response, 200, { totp: true }),
    'POST session/totp': ({ body, response }) => {
      const approver = [...this.approvers.values()].find((one) => one.name === body.name);
      this.#useCode(approver, body.code);
      this.#open(approver, response, 200, 'totp');
    },
    'POST session': ({ body, response }) => {
      this.#spend(body.credential, 'sign-in');
      const approver = this.#checkAssertion(body.credential);
      if (body.credential.userHandle !== approver.id)
        throw new Refusal(403, 'passkey', 'This passkey is not known here.');
      this.#open(approver, response, 200);
    },
  };

  #calls = {
    'GET session': ({ token, me, response }) =>
      send(response, 200, this.#sessionBody(me, this.#sessions.get(token))),
    'DELETE session': ({ token, response }) => {
      this.#sessions.delete(token);
      send(response, 204);
    },
    'GET requests': ({ url, by, response }) => {
      if (!url.searchParams.has('all')) {
        const open = this.requests.filter((request) => kOpen.includes(request.state));
        const seen = open.filter((request) => by !== 'totp' || this.totp.decides(request));
        return send(response, 200, { requests: seen, more: false, damaged: [] });
      }
      if (by === 'totp') throw new Refusal(403, 'limited', 'You signed in with a code.');
      const before = this.requests.findIndex(({ id }) => id === url.searchParams.get('before'));
      const end = before === -1 ? this.requests.length : before;
      const begin = Math.max(0, end - kPage);
      send(response, 200, {
        requests: this.requests.slice(begin, end).reverse(),
        more: begin > 0,
        damaged: [],
      });
    },
    'GET requests/:id/card': ({ id, by, response }) => {
      const request = this.#request(id);
      if (by === 'totp' && !this.totp.decides(request))
        throw new Refusal(403, 'totp-group', 'Not decided by codes.');
      send(response, 200, request);
    },
    'POST requests/:id/challenge': ({ id, body, me, response }) => {
      const request = this.#pending(id);
      const challenge = this.#challenge('decide', {
        request: request.id,
        decision: body.decision,
        approver: me.id,
      });
      send(response, 200, { challenge, rp: { id: 'localhost' }, allow: this.#passkeysOf(me) });
    },
    'POST requests/:id/decision': ({ id, body, me, by, response }) => {
      if (by === 'totp') {
        const request = this.#pending(id);
        if (!this.totp.decides(request)) throw new Refusal(403, 'totp-group', 'Not decided by codes.');
        this.#useCode(me, body.code);
        this.#settle(request, body, `totp:${me.name}`, response);
        return;
      }
      const bound = this.#spend(body.credential, 'decide');
      const request = this.#pending(id);
      if (bound.request !== id || bound.decision !== body.decision || bound.approver !== me.id)
        throw new Refusal(403, 'challenge', 'This approval was made for something else.');
      if (this.#checkAssertion(body.credential).id !== me.id)
        throw new Refusal(403, 'passkey', 'This is the passkey of somebody else.');
      this.#settle(request, body, me.name, response);
    },
    'GET totp': ({ me, response }) => send(response, 200, this.totp.stateOf(me.id)),
    'POST totp': ({ body, me, response }) => {
      this.#checkConfirmed(me, body, 'totp.set');
      send(response, 201, this.totp.setUp(me));
    },
    'POST totp/first-code': ({ body, me, response }) => {
      this.#useCode(me, body.code, true);
      send(response, 200, this.totp.stateOf(me.id));
    },
    'POST totp/removal': ({ body, me, response }) => {
      this.#checkConfirmed(me, body, 'totp.remove');
      this.totp.remove(me.id);
      send(response, 204);
    },
    'GET events': ({ response }) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.write(': hello\n\n');
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
    },
    'GET hosts': ({ response }) => send(response, 200, { hosts: [...this.hosts.values()] }),
    'POST confirmations': ({ body, me, response }) => {
      const challenge = this.#challenge('act', { act: [body.act, ...body.about], approver: me.id });
      send(response, 200, { challenge, rp: { id: 'localhost' }, allow: this.#passkeysOf(me) });
    },
    'POST hosts/:id/next-boot': ({ id, body, me, response }) => {
      this.#checkConfirmed(me, body, 'boot.approve', id, String(body.seconds));
      const [approved_at, until] = [time(Date.now()), time(Date.now() + body.seconds * 1000)];
      const next_boot = { by: me.name, approved_at, until };
      this.#of(this.hosts, id).next_boot = next_boot;
      send(response, 201, next_boot);
    },
    'DELETE hosts/:id/next-boot': ({ id, response }) => {
      this.#of(this.hosts, id).next_boot = null;
      send(response, 204);
    },
    'POST hosts/:id/revocation': ({ id, body, me, response }) => {
      mustOwn(me);
      this.#checkConfirmed(me, body, 'host.revoke', id);
      this.#of(this.hosts, id).revoked_at = time(Date.now());
      send(response, 204);
    },
    'GET passkeys': ({ me, response }) => {
      const own = [...this.passkeys.values()].filter((passkey) => passkey.approver === me.id);
      send(response, 200, { passkeys: own.map(passkeyBody) });
    },
    'POST passkeys/challenge': ({ me, response }) =>
      send(response, 200, this.#registrationChallenge({ id: me.id, name: me.name })),
    'POST passkeys': ({ body, me, response }) => {
      this.#checkConfirmed(me, body, 'passkey.add', body.credential.id, body.label);
      this.#spend(body.credential, 'register');
      send(response, 201, passkeyBody(this.#addPasskey(me, body)));
    },
    'PATCH passkeys/:id': ({ id, body, response }) => {
      const passkey = this.#of(this.passkeys, id);
      passkey.label = body.label;
      send(response, 200, passkeyBody(passkey));
    },
    'POST passkeys/:id/removal': ({ id, body, me, response }) => {
      this.#checkConfirmed(me, body, 'passkey.remove', id);
      if (this.#passkeysOf(me).length === 1)
        throw new Refusal(409, 'last-passkey', 'This is your last passkey: add another one before.');
      this.passkeys.delete(id);
      send(response, 204);
    },
    'GET recovery-codes': ({ me, response }) => {
      const own = [...this.#codes.values()].filter(({ owner }) => owner === me.id);
      send(response, 200, { left: own.length, made_at: own[0]?.made_at ?? null });
    },
    'POST recovery-codes': ({ body, me, response }) => {
      this.#checkConfirmed(me, body, 'recovery.make');
      for (const [code, { owner }] of this.#codes) if (owner === me.id) this.#codes.delete(code);
      const codes = Array.from({ length: 10 }, newCode);
      for (const code of codes) this.#codes.set(plainCode(code), { owner: me.id, made_at: time(Date.now()) });
      send(response, 201, { codes });
    },
    'GET approvers': ({ me, response }) => {
      mustOwn(me);
      const approvers = [...this.approvers.values()];
      send(response, 200, {
        approvers: approvers.map((one) => ({ ...one, passkeys: this.#passkeysOf(one).length })),
      });
    },
    'POST approvers/invites': ({ body, me, response }) => {
      mustOwn(me);
      this.#checkConfirmed(me, body, 'approver.invite', body.name, body.role);
      const token = this.invite(body.name, body.role);
      const expires_at = time(this.#invites.get(token).ends);
      send(response, 201, { url: `${this.origin}/#register=${token}`, expires_at });
    },
    'GET invites': ({ me, response }) => {
      mustOwn(me);
      const invites = [...this.#invites.values()].map(({ name, role, hash, made, ends }) => ({
        id: hash,
        kind: 'approver',
        name,
        role,
        created_at: time(made),
        expires_at: time(ends),
      }));
      send(response, 200, { invites });
    },
    'DELETE invites/:id': ({ id, me, response }) => {
      mustOwn(me);
      const found = [...this.#invites].find(([, { hash }]) => hash === id);
      if (!found) throw new Refusal(404, 'not-found', 'There is no such invite.');
      this.#invites.delete(found[0]);
      send(response, 204);
    },
    'POST approvers/:id/revocation': ({ id, body, me, response }) => {
      mustOwn(me);
      this.#checkConfirmed(me, body, 'approver.revoke', id);
      const owners = [...this.approvers.values()].filter((one) => one.role === 'owner');
      if (owners.length === 1 && owners[0].id === id)
        throw new Refusal(409, 'last-owner', 'This is the last owner: make another one before.');
      this.approvers.delete(id);
      for (const [key, passkey] of this.passkeys) if (passkey.approver === id) this.passkeys.delete(key);
      for (const [key, session] of this.#sessions) if (session.approver.id === id) this.#sessions.delete(key);
      send(response, 204);
    },
  };

  // What the answers are made of.

  #validInvite(token) {
    const invite = this.#invites.get(token);
    if (!invite || invite.ends < Date.now())
      throw new Refusal(403, 'invite', 'This invite was used or has ended. Ask an owner for a new link.');
    return invite;
  }

  #ownerOf(code) {
    const owner = this.approvers.get(this.#codes.get(plainCode(code))?.owner);
    if (!owner)
      throw new Refusal(403, 'recovery', 'This recovery code was used, or is not one of this gateway.');
    return owner;
  }

  #registrationChallenge(user) {
    return {
      challenge: this.#challenge('register', { user }),
      rp: { id: 'localhost', name: 'zfs-keyvault' },
      user,
      exclude: this.#passkeysOf(user),
    };
  }

  #challenge(purpose, bound = {}) {
    const challenge = random(32);
    this.#challenges.set(challenge, { purpose, ends: Date.now() + kChallengeLife, ...bound });
    return challenge;
  }

  /// What the credential's challenge was made for; it serves once.
  #spend(credential, purpose) {
    const challenge = claimedChallenge(credential);
    const bound = this.#challenges.get(challenge);
    this.#challenges.delete(challenge);
    if (!bound || bound.purpose !== purpose || bound.ends < Date.now())
      throw new Refusal(409, 'challenge', 'Too much time went by since you were asked. Try again.');
    return bound;
  }

  #expected(credential) {
    return { challenge: claimedChallenge(credential), origin: this.origin, rpId: 'localhost' };
  }

  #checkAssertion(credential) {
    const passkey = this.passkeys.get(credential.id);
    if (!passkey) throw new Refusal(403, 'passkey', 'This passkey is not known here.');
    try {
      verifyAssertion(credential, passkey, this.#expected(credential));
    } catch (error) {
      throw new Refusal(403, 'passkey', `This passkey was refused: ${error.message}.`);
    }
    passkey.last_used = time(Date.now());
    const approver = this.approvers.get(passkey.approver);
    approver.last_used = passkey.last_used;
    return approver;
  }

  #checkConfirmed(me, { confirmation }, ...act) {
    const bound = this.#spend(confirmation, 'act');
    if (bound.approver !== me.id || JSON.stringify(bound.act) !== JSON.stringify(act))
      throw new Refusal(409, 'challenge', 'This was confirmed for something else.');
    if (this.#checkAssertion(confirmation).id !== me.id)
      throw new Refusal(403, 'passkey', 'This is the passkey of somebody else.');
  }

  #useCode(approver, code, isFirst = false) {
    if (!approver || !this.totp.use(approver.id, code, isFirst))
      throw new Refusal(403, 'code', 'This code is not right, was used before, or came too soon.');
  }

  #settle(request, { decision, reason }, decided_by, response) {
    request.state = decision === 'approve' ? 'approved' : 'denied';
    Object.assign(request, { decided_by, reason: reason || null });
    send(response, 200, request);
    this.#tellChanged();
  }

  #addPasskey(approver, { label, credential }) {
    const made = verifyRegistration(credential, this.#expected(credential));
    const passkey = {
      ...made,
      label,
      approver: approver.id,
      created_at: time(Date.now()),
      last_used: null,
    };
    this.passkeys.set(made.id, passkey);
    return passkey;
  }

  #passkeysOf({ id }) {
    const own = [...this.passkeys.values()].filter((passkey) => passkey.approver === id);
    return own.map((passkey) => passkey.id);
  }

  #open(approver, response, status, by = 'passkey') {
    const token = random(32);
    const ends = Date.now() + kSessionLife;
    this.#sessions.set(token, { approver, ends, by });
    response.setHeader('Set-Cookie', `zkv-session=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600`);
    send(response, status, this.#sessionBody(approver, { ends, by }));
  }

  #sessionBody({ id, name, role }, { ends, by }) {
    return { approver: { id, name, role }, gateway: 'gateway.example', by, expires_at: time(ends) };
  }

  #request(id) {
    const request = this.requests.find((one) => one.id === id);
    if (!request) throw new Refusal(404, 'not-found', 'There is no such request.');
    return request;
  }

  #pending(id) {
    const request = this.#request(id);
    if (request.state === 'pending') return request;
    const by = request.decided_by ? ` by ${request.decided_by}` : '';
    throw new Refusal(409, 'ended', `This request was already ${request.state}${by}.`);
  }

  #of(map, id) {
    const found = map.get(id);
    if (!found) throw new Refusal(404, 'not-found', 'There is no such thing any more.');
    return found;
  }

  #tellChanged() {
    this.#tell('event: requests\ndata: {}\n\n');
  }

  #tell(text) {
    for (const stream of this.#streams) stream.write(text);
  }
}

function passkeyBody({ id, label, created_at, last_used, backedUp }) {
  return { id, label, created_at, last_used, backed_up: backedUp };
}

function newCode() {
  const characters = [...randomBytes(24)].map((byte) => kCrockford[byte % 32]).join('');
  return characters.match(/.{4}/g).join('-');
}

/// As people may type it.
function plainCode(code) {
  return code.toUpperCase().replace(/[-\s]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

function mustOwn({ role }) {
  if (role !== 'owner') throw new Refusal(403, 'owners-only', 'Only owners may do this.');
}

function cookieOf(request) {
  return /(?:^|; )zkv-session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
}

async function readJson(request) {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? {} : JSON.parse(text);
}

function send(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
