"""The Python driver of the stand-ins does what integration tests will ask of it."""

import base64
import http.server
import os
import pathlib
import select
import ssl
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

INTEGRATION = pathlib.Path(__file__).resolve().parent.parent / "integration"
sys.path.insert(0, str(INTEGRATION))
from standins import AzureStandIn, StandInError, TwilioStandIn  # noqa: E402

PERSON = "+15005550100"
DYING_RUNNER = """
import os, standins
azure = standins.AzureStandIn().__enter__()
print(azure.facts["pid"], flush=True)
input()
os._exit(9)
"""


def fetch(standin, path, form=None, headers=None):
    """(status, body) of a request to a stand-in over TLS, its certificate checked."""
    context = ssl.create_default_context(cafile=standin.ca)
    https = urllib.request.HTTPSHandler(context=context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(standin.https + path, data=data, headers=headers or {})
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def send_message(twilio, body):
    facts = twilio.facts
    basic = base64.b64encode(f"{facts['accountSid']}:{facts['authToken']}".encode()).decode()
    form = {"To": PERSON, "From": twilio.number, "Body": body}
    path = f"/2010-04-01/Accounts/{facts['accountSid']}/Messages.json"
    return fetch(twilio, path, form, {"Authorization": f"Basic {basic}"})


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook that answers 204 and keeps what came."""

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((dict(self.headers), dict(urllib.parse.parse_qsl(body))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Azure(unittest.TestCase):
    def test_a_fault_hits_the_next_request_and_is_then_spent(self):
        with AzureStandIn() as azure:
            azure.put_secret("nas", "key", enabled=True)
            azure.fault(503, match="GET /secrets/nas")
            self.assertEqual(fetch(azure, "/secrets/nas?api-version=7.4")[0], 503)
            self.assertEqual(fetch(azure, "/secrets/nas?api-version=7.4")[0], 401)
            self.assertEqual([request["fault"] for request in azure.secret_requests()], ["503", None])

    def test_whoever_waits_for_a_request_is_woken_by_it(self):
        with AzureStandIn() as azure:
            waiter = []
            thread = threading.Thread(target=lambda: waiter.extend(azure.requests("GET /secrets/late", wait=30)))
            thread.start()
            fetch(azure, "/secrets/late?api-version=7.4")
            thread.join()
            self.assertEqual(len(waiter), 1)

    def test_what_it_refuses_is_told_in_its_own_words(self):
        with AzureStandIn() as azure, self.assertRaisesRegex(StandInError, "no such fault: 'sloww'"):
            azure.fault("sloww")

    def test_the_process_and_its_certificate_are_gone_afterwards(self):
        with AzureStandIn() as azure:
            folder = pathlib.Path(azure.ca).parent
            self.assertTrue(folder.exists())
        self.assertFalse(folder.exists())
        with self.assertRaises(urllib.error.URLError):
            azure.requests()


class Runner(unittest.TestCase):
    def test_a_runner_that_dies_leaves_no_stand_in_behind(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        runner = subprocess.Popen([sys.executable, "-c", DYING_RUNNER], cwd=INTEGRATION, **pipes)
        standin = os.pidfd_open(int(runner.stdout.readline()))
        runner.communicate(b"die\n")
        ended, _, _ = select.select([standin], [], [], 60)
        os.close(standin)
        self.assertTrue(ended)


class Twilio(unittest.TestCase):
    def test_messages_are_waited_for_one_by_one(self):
        with TwilioStandIn() as twilio:
            self.assertEqual(send_message(twilio, "first")[0], 201)
            self.assertEqual(send_message(twilio, "second")[0], 201)
            self.assertEqual(twilio.wait_for_message()["body"], "first")
            self.assertEqual(twilio.wait_for_message()["body"], "second")
            with self.assertRaises(TimeoutError):
                twilio.wait_for_message(timeout=0)

    def test_replies_reach_the_webhook_signed_and_forged(self):
        with TwilioStandIn() as twilio, http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
            server.received = []
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/incoming-message"
            honest = twilio.send_reply(url, "123456", sender=PERSON, signer="official")
            twilio.send_reply(url, "123456", sender=PERSON, fault="unsigned")
            twilio.send_reply(url, "123456", sender=PERSON, fault="replayed")
            server.shutdown()
        self.assertEqual(honest["attempts"][0]["status"], 204)
        (signed, params), (bare, _), (again, same_params) = server.received
        self.assertEqual((signed["X-Twilio-Signature"], params["From"]), (honest["signature"], PERSON))
        self.assertNotIn("X-Twilio-Signature", bare)
        self.assertEqual((again["X-Twilio-Signature"], same_params), (signed["X-Twilio-Signature"], params))


if __name__ == "__main__":
    unittest.main(verbosity=2)
