"""Somebody with an authenticator app, written anew from RFC 6238 and docs/protocol-v2.md; and a way to move the gateway's clock for one
person's codes, for tests that know its seal key.
"""

import base64
import hashlib
import hmac
import struct
import time

import passkey_world

STEP = 30
GROUP = "home"


def step_now():
    return int(time.time()) // STEP


def code_of(secret, step):
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class App:
    """An authenticator app, beside the passkey of `person`."""

    def __init__(self, person, name):
        self.person, self.name, self.last, self.cookie = person, name, 0, ""
        made = person.confirmed("/v2/totp", {}, "totp.set")
        assert made.status == 201, made.body
        self.made = made.json
        self.secret = base64.b32decode(made.json["secret"])

    def next(self):
        """The earliest code that was not used yet and is taken now."""
        self.last = max(self.last + 1, step_now() - 1)
        return code_of(self.secret, self.last)

    def wrong(self):
        """A code that is right at no time near to now."""
        near = {code_of(self.secret, step_now() + offset) for offset in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777") if code not in near)

    def with_code(self, call):
        """`call` with the next code; once more where a step ended between looking at the clock and being asked."""
        began = step_now()
        answer = call(self.next())
        if answer.status == 403 and step_now() != began:
            return call(self.next())
        return answer

    def begin(self):
        begun = self.with_code(lambda code: self.person.call("POST", "/v2/totp/first-code", {"code": code}))
        assert begun.status == 200, begun.body
        return self

    def try_sign_in(self, code, name=None):
        return self.call("POST", "/v2/session/totp", {"name": name or self.name, "code": code})

    def sign_in(self):
        signed_in = self.with_code(self.try_sign_in)
        if signed_in.status == 200:
            self.cookie = signed_in.headers["Set-Cookie"].split(";")[0]
        return signed_in

    def call(self, method, path, body=None):
        kept, self.person.cookie = self.person.cookie, self.cookie
        try:
            return self.person.call(method, path, body)
        finally:
            self.person.cookie = kept

    def try_decide(self, request, decision, code):
        return self.call("POST", f"/v2/requests/{request}/decision", {"decision": decision, "reason": "no", "code": code})

    def decide(self, request, decision):
        return self.with_code(lambda code: self.try_decide(request, decision, code))

    def requests(self):
        return {card["id"] for card in self.call("GET", "/v2/requests").json["requests"]}


def seal(key, columns, table="zkv_totp"):
    """What the gateway writes beside a row."""
    fields = ["zkv row 1", table, *map(str, columns)]
    covered = b"".join(len(field.encode()).to_bytes(8, "big") + field.encode() for field in fields)
    return hmac.new(key, covered, hashlib.sha256).hexdigest()


COLUMNS = ("approver", "sealed", "made_at", "begun_at", "last_step", "wrong", "locked_until", "logged")


def rewrite(gateway, **changes):
    """Changes the row of the only app as the gateway itself would have: to let time go by."""
    gateway.stop()
    [row] = gateway.write_database(f"SELECT {', '.join(COLUMNS)} FROM zkv_totp")
    row = {**dict(zip(COLUMNS, row)), **changes}
    key = (gateway.data / "seal.key").read_bytes()
    values = [row[name] for name in COLUMNS]
    gateway.write_database(f"UPDATE zkv_totp SET {', '.join(f'{name} = ?' for name in COLUMNS)}, seal = ?", *values, seal(key, values))
    gateway.start()


class Case(passkey_world.OwnersCase):
    """Anna with an app, hosts nas and attic of a group that codes may decide, and the host safe of another."""

    groups = GROUP

    def setUp(self):
        self.gateway = passkey_world.Gateway(*(["--totp-groups", self.groups] if self.groups else []))
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.anna = self.joined("Anna", "owner")
        self.host = self.enrolled("nas", GROUP)

    def joined(self, name, role="approver"):
        link = self.gateway.invite_approver(name, "--role", role)
        return passkey_world.Approver(self.gateway, link.split("#register=")[1])

    def enrolled(self, name, group="vault"):
        host = passkey_world.enrolled_world.OtherHost(self.gateway, self.gateway.invite(name, "--group", group))
        self.assertEqual(host.enrol().status, 201)
        return host

    def ask(self, host=None):
        return (host or self.host).ask().json

    def restart(self, groups):
        self.gateway.stop()
        self.gateway.arguments[-2:] = ["--totp-groups", groups]
        self.gateway.start()

    def assert_problem(self, answer, status, name):
        self.assertEqual((answer.status, answer.json["type"].rsplit("/", 1)[1]), (status, name), answer.body)

    def assert_nothing_decided(self, *requests):
        for request in requests:
            self.assertEqual(self.gateway.state(request["id"]), "pending")
        self.assertNotIn("totp.decide", self.gateway.audit_kinds())
