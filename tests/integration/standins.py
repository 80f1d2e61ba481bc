"""Starts the stand-ins of tests/standins/ and steers them, for integration tests in Python.

    with AzureStandIn() as azure, TwilioStandIn() as twilio:
        azure.put_secret("zkv-nas", key)
        gateway = start(environment=azure.environment() | twilio.environment() | {...})
        message = twilio.wait_for_message()
        twilio.send_reply(gateway.url + "/incoming-message", pin_in(message["body"]))
"""

import json
import pathlib
import select
import subprocess
import urllib.error
import urllib.parse
import urllib.request

STANDINS = pathlib.Path(__file__).resolve().parent.parent / "standins"
START_LIMIT = 60


class StandInError(Exception):
    """A stand-in did not start, or refused what it was told; the text is its own."""


class StandIn:
    """One stand-in process, alive inside a `with`. `facts` is its first line: addresses, credentials, the CA's file."""

    program = ""

    def __init__(self):
        self.facts = {}
        self._process = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self):
        command = ["node", str(STANDINS / self.program)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready, _, _ = select.select([self._process.stdout], [], [], START_LIMIT)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self._end()
            raise StandInError(f"{self.program} told no addresses within {START_LIMIT} s")
        self.facts = json.loads(line)
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def https(self):
        return self.facts["https"]

    @property
    def http(self):
        return self.facts["http"]

    @property
    def ca(self):
        """The file that holds the authority of the https address's certificate."""
        return self.facts["ca"]

    def control(self, method, path, body=None, timeout=60):
        """One call of the control interface (tests/standins/lib/control.mjs); raises StandInError with its words."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.facts["control"] + path, data=data, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise StandInError(json.load(error)["error"]) from None

    def fault(self, fault, match="", times=1, **details):
        """The next `times` requests whose "METHOD /path?query" contains `match` go wrong.

        `fault`: a status 400 to 599, 'slow' (with delayMs), 'hang', 'drop', 'cut', 'stall', 'garbage', 'empty',
        'endless' or 'redirect' (with location); for Azure also 'expired', 'disabled', 'forbidden',
        'firewall'.
        `details`: retryAfter (s), delayMs, skip, pattern, location.
        """
        self.control("POST", "/faults", {"fault": str(fault), "match": match, "times": times, **details})

    def clear_faults(self):
        self.control("DELETE", "/faults")

    def requests(self, match="", after=0, wait=0):
        """The requests received whose "METHOD /path?query" contains `match`, numbered `n` > `after`, each with method,
        url, headers, body, fault and, once answered, status. When there is none, waits `wait` seconds for the first."""
        query = _query(match=match, after=after, wait=wait)
        return self.control("GET", f"/requests?{query}", timeout=wait + 30)

    def clear_requests(self):
        self.control("DELETE", "/requests")

    def settings(self, **changes):
        """Changes settings and returns all. Azure: tokenLifetime, announcedLifetime, clockAhead (seconds), permissions,
        … (azure.mjs); Twilio: authToken, numbers, trial, … (twilio.mjs)."""
        return self.control("POST", "/settings", changes)


class AzureStandIn(StandIn):
    """Azure AD and one Key Vault."""

    program = "azure.mjs"

    def environment(self):
        """The gateway's settings that point it here."""
        return {
            "ZKV_AAD_TENANT_ID": self.facts["tenant"],
            "ZKV_AAD_CLIENT_ID": self.facts["clientId"],
            "ZKV_AAD_CLIENT_SECRET": self.facts["clientSecret"],
            "ZKV_AAD_RESOURCE": self.facts["resource"],
            "ZKV_AAD_AUTHORITY_HOST_URI": self.https,
            "ZKV_KEY_VAULT_URI": self.https,
            "ZKV_AZURE_CA_FILE": self.ca,
        }

    def put_secret(self, name, value, **attributes):
        """Adds a version and returns its id; `attributes`: enabled, nbf, exp (seconds since 1970)."""
        secret = {"name": name, "value": value, "attributes": attributes}
        return self.control("POST", "/secrets", secret)["version"]

    def end_tokens(self):
        """Every token issued until now is refused from now on."""
        self.control("POST", "/tokens/end")

    def token_requests(self):
        return self.requests("POST /" + self.facts["tenant"] + "/oauth2/v2.0/token")

    def secret_requests(self):
        return self.requests("GET /secrets/")


class TwilioStandIn(StandIn):
    """Twilio's messages: those the gateway sends, and the webhooks of people's answers."""

    program = "twilio.mjs"

    def __init__(self):
        super().__init__()
        self._seen = 0

    @property
    def number(self):
        """The account's own number, which the gateway sends from."""
        return self.facts["numbers"][0]

    def environment(self):
        """The gateway's settings that point it here; SMS_TO is the test's to choose."""
        return {
            "ZKV_TWILIO_ACCOUNT_ID": self.facts["accountSid"],
            "ZKV_TWILIO_TOKEN": self.facts["authToken"],
            "ZKV_TWILIO_API_URI": self.https,
            "ZKV_TWILIO_CA_FILE": self.ca,
            "ZKV_SMS_FROM": self.number,
        }

    def messages(self, to=""):
        """All messages sent so far, oldest first, as Twilio's resources: sid, to, from, body, status, direction, …"""
        sent = self.control("GET", f"/messages?{_query(to=to)}")
        return [message["resource"] for message in sent]

    def wait_for_message(self, timeout=30):
        """The next message that no earlier call has returned; raises TimeoutError when none comes."""
        query = _query(after=self._seen, wait=timeout)
        waiting = self.control("GET", f"/messages?{query}", timeout=timeout + 30)
        if not waiting:
            raise TimeoutError(f"no message was sent within {timeout} s")
        self._seen = waiting[0]["n"]
        return waiting[0]["resource"]

    def skip_messages(self):
        """Those sent until now are not returned by wait_for_message any more."""
        sent = self.control("GET", f"/messages?{_query(after=self._seen)}")
        self._seen = max((message["n"] for message in sent), default=self._seen)

    def send_reply(self, url, body, sender=None, fault=None, **details):
        """Sends a person's answer to the webhook `url`, as Twilio would, and returns its outcome: messageSid,
        signature, attempts [{ms, status, headers, body} or {ms, error}] and alerts [{code, message}].

        `fault`: 'unsigned', 'wrong-signature', 'wrong-token', 'tampered', 'other-url', 'other-sender' or 'replayed'.
        `details`: to, messageSid, method, params, signPort, signer ('official'), ca, insecure (twilio/inbound.mjs).
        """
        reply = {"url": url, "body": body, "fault": fault, **details}
        if sender is not None:
            reply["from"] = sender
        return self.control("POST", "/replies", reply, timeout=90)


class PushStandIn(StandIn):
    """A push service, and the browsers behind it."""

    program = "push.mjs"

    def environment(self):
        """The gateway's setting that lets it send here, over http, and to nobody else."""
        return {"ZKV_PUSH_HOSTS": self.http}

    def subscribe(self, key=None):
        """A browser's new subscription, bound to the applicationServerKey `key`: {id, endpoint, p256dh, auth}."""
        made = self.control("POST", "/subscriptions", {"key": key})
        return {"id": made["id"], "endpoint": self.http + made["path"], "p256dh": made["p256dh"], "auth": made["auth"]}

    def end(self, subscription):
        """The browser is gone: its endpoint answers 410 from now on."""
        self.control("POST", "/subscriptions/end", {"id": subscription["id"]})

    def messages(self, subscription, after=0, wait=0):
        """What arrived there: {n, ttl, urgency, topic, text}, or `error` in place of a text that could not be read. When
        there is nothing, waits `wait` seconds for the first."""
        query = _query(subscription=subscription["id"], after=after, wait=wait)
        return self.control("GET", f"/messages?{query}", timeout=wait + 30)

    def wait_for_message(self, subscription, after=0, timeout=30):
        """The first message there after number `after`; raises TimeoutError when none comes."""
        messages = self.messages(subscription, after, timeout)
        if not messages:
            raise TimeoutError(f"no push message came within {timeout} s")
        return messages[0]


def _query(**fields):
    return urllib.parse.urlencode(fields)
