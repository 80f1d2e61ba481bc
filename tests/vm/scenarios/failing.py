"""What goes wrong around a boot: the clock, names, IPv4, another's portal in the gateway's place, a dead network card, nobody who decides. The machine comes up,
says what is wrong, and opens everything once it is mended.
"""

import contextlib
import http.server
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import KEY  # noqa: E402
from scenario import BOOT_LIMIT, NOWHERE, VOLUMES, Scenario, unit  # noqa: E402

# A service that is there whenever the target is.
UPHELD = """
cat >/etc/systemd/system/upheld.service <<'UNIT'
[Unit]
After=zfs-keyvault.target
PartOf=zfs-keyvault.target
[Service]
ExecStart=/bin/sleep infinity
UNIT
mkdir -p /etc/systemd/system/zfs-keyvault.target.d
printf '[Unit]\\nUpholds=upheld.service\\n' >/etc/systemd/system/zfs-keyvault.target.d/upheld.conf
systemctl daemon-reload
"""
NETWORK = "/etc/systemd/network/20-wired.network"


def with_network(*lines):
    """The card set up otherwise than in the image, which may have been read by now."""
    text = "\\n".join(("[Match]", "Type=ether", "[Network]", *lines))
    return f"printf '{text}\\n' >{NETWORK}\nsystemctl restart --no-block systemd-networkd.service\n"


class Portal:
    """Answers in the gateway's place, as networks do that want a login first: TLS of its own, and a redirection for whatever is asked."""

    def __init__(self, port, folder):
        key, certificate = folder / "portal.key", folder / "portal.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=portal.test", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", "https://portal.test/login")
                self.end_headers()
            do_POST = do_GET

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Forwarder:
    """[::1]:PORT leads to 127.0.0.1:PORT: QEMU's IPv6 network ends at the former."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("::1", port), family=socket.AF_INET6)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one = self._listener.accept()[0]
                other = socket.create_connection(("127.0.0.1", self._port))
                for source, sink in ((one, other), (other, one)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self._listener.close()


class Failing(Scenario):
    def assert_up_and_locked(self, guest, complaint):
        """Somebody can log in, the volumes are locked, and both console and status say why."""
        guest.wait_for_console(r"guest login:", BOOT_LIMIT)
        guest.wait_for_console(complaint, BOOT_LIMIT)
        self.step(f"the guest is up, and says /{complaint}/")
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "activating")
        self.assertNotIn("zfs-keyvault.service", unit(guest, "multi-user.target", "After"), "the machine would be up only after it")
        self.assertRegex(guest.run("systemctl status --no-pager zfs-keyvault.service").out, complaint)

    def assert_mended(self, guest, look=lambda: None):
        self.approve_next(look)
        self.finish_boot(guest)
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        guest.power_off()

    def test_without_a_gateway_a_person_with_the_key_opens_all_and_what_waits_starts(self):
        guest = self.boot()
        self.assert_up_and_locked(guest, "nothing listens at gateway.test")
        said = guest.check(f"printf '%s\\n' '{KEY}' | zkv unlock --key-file - 2>&1")
        self.assertIn("begins anew, and asks nobody", said)
        self.finish_boot(guest)
        self.assert_everything_open(guest)
        self.assertEqual(guest.run("grep -c zkv:repository-key /proc/keys").out.strip(), "0")
        guest.power_off()

    def test_nobody_decides_until_the_boot_has_given_up(self):
        self.setup = "echo ZKV_TIMEOUT=20 >>/etc/default/zfs-keyvault\n"
        self.gateway.start()
        guest = self.boot()
        guest.check(UPHELD)
        self.gateway.wait_for_request(BOOT_LIMIT)
        self.assert_up_and_locked(guest, "nobody decided in time")
        guest.check("until [ $(systemctl show -P SubState zfs-keyvault.service) = auto-restart ]; do sleep 0.2; done")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ExecMainStatus"), "5")
        self.assertIn("nobody decided in time", unit(guest, "zfs-keyvault.service", "StatusText"))
        self.assertEqual(unit(guest, "multi-user.target", "ActiveState"), "active")
        for dependent in ("ledger.service", "upheld.service"):
            self.assertEqual(unit(guest, dependent, "ActiveState"), "inactive")

        self.step("somebody comes: a restart asks anew, and need not wait for the next try")
        guest.check("sed -i '/ZKV_TIMEOUT/d' /etc/default/zfs-keyvault; systemctl restart --no-block zfs-keyvault.service")
        self.approve_next()
        guest.check("systemctl start zfs-keyvault.service")
        guest.check('until [ -z "$(systemctl list-jobs --no-legend)" ]; do :; done')
        self.assert_everything_open(guest)

        self.step("what the target upholds comes back when it ends, and goes with the target")
        first = unit(guest, "upheld.service", "InvocationID")
        self.assertNotEqual(first, "")
        guest.check("systemctl kill --signal=KILL upheld.service")
        guest.check(f"until [ $(systemctl show -P SubState upheld.service) = running ] && [ $(systemctl show -P InvocationID upheld.service) != {first} ]; do sleep 0.2; done")
        guest.check("zkv lock --all")
        self.assertEqual(unit(guest, "upheld.service", "ActiveState"), "inactive")
        self.assert_locked(guest, VOLUMES)
        guest.power_off()

    def test_a_clock_that_is_years_behind(self):
        self.gateway.start()
        guest = self.boot(extra=["-rtc", "base=2020-01-01T00:00:00,clock=vm"])
        self.assert_up_and_locked(guest, "not valid yet")
        guest.check(f"date -s @{int(time.time())}")
        self.assert_mended(guest)

    def test_no_names(self):
        self.setup = "sed -i /gateway.test/d /etc/hosts; echo 'nameserver 192.0.2.1' >/etc/resolv.conf\n"
        self.gateway.start()
        guest = self.boot()
        self.assert_up_and_locked(guest, "(?i)resolv")
        guest.check("echo '10.0.2.2 gateway.test' >>/etc/hosts")
        self.assert_mended(guest)

    def test_ipv6_alone(self):
        self.setup = with_network("IPv6AcceptRA=yes") + "sed -i 's/^10.0.2.2 /fec0::2 /' /etc/hosts\n"
        self.gateway.start()
        forwarder = Forwarder(self.gateway.port)
        self._stack.callback(forwarder.close)
        guest = self.boot(network="user,id=network,ipv4=off,ipv6=on")
        self.assert_mended(guest)

    def test_a_portal_in_the_gateways_place(self):
        self.gateway.leave_port()
        portal = Portal(self.gateway.port, self._work)
        self._stack.callback(portal.close)
        guest = self.boot()
        self.assert_up_and_locked(guest, "certificate")
        portal.close()
        self.gateway.start()
        self.assert_mended(guest)

    def test_a_second_network_card_that_leads_nowhere(self):
        self.setup = with_network("DHCP=ipv4", "LinkLocalAddressing=no") + "systemctl start --no-block systemd-networkd-wait-online.service\n"
        self.gateway.start()
        guest = self.boot(extra=NOWHERE)
        self.assert_mended(guest, lambda: self.assertEqual(unit(guest, "systemd-networkd-wait-online.service", "ActiveState"), "activating"))


if __name__ == "__main__":
    unittest.main()
