"""A gateway between stand-ins for Azure and Twilio: the vault holds the key, the approver answers by SMS."""

import re
import unittest

from gateway_world import APPROVER, World
from standins import AzureStandIn, TwilioStandIn

SECRET = "zkv-nas"


class ChainCase(unittest.TestCase):
    def begin(self, key, *arguments):
        self.azure = self.enterContext(AzureStandIn())
        self.twilio = self.enterContext(TwilioStandIn())
        self.azure.put_secret(SECRET, key)
        environment = self.azure.environment() | self.twilio.environment() | {
            "ZKV_KEY_VAULT_SECRET": SECRET, "ZKV_SMS_TO": APPROVER}
        self.world = self.enterContext(World("--max-wait", "600", *arguments, environment=environment, key=None))

    def ask(self, token=None):
        """A waiting client, and the PIN that the approver was sent for it."""
        client = self.world.ask(token=token)
        message = self.twilio.wait_for_message()
        self.assertEqual(message["to"], APPROVER)
        self.assertRegex(message["body"], r"^Request received for repository encryption key, respond with this PIN to "
                                          r"confirm: \d{6}$")
        return client, re.search(r"\d{6}", message["body"]).group()

    def reply(self, pin, **details):
        """Sends the approver's answer; returns the gateway's status."""
        url = f"https://localhost:{self.world.port}/incoming-message"
        outcome = self.twilio.send_reply(url, pin, APPROVER, ca=str(self.world.authority.certificate), **details)
        return outcome["attempts"][-1]["status"]
