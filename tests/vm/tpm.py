"""An emulated TPM 2.0 (swtpm) for a guest. Its folder is the chip: what it keeps outlasts the guest."""

import contextlib
import os
import pathlib
import signal
import subprocess


class Tpm:
    """One chip. A QEMU that starts finds it switched on; it goes off as QEMU lets go of it."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        (self._folder / "state").mkdir(parents=True)
        self._socket, self._pid = self._folder / "control", self._folder / "pid"

    def switch_on(self):
        """Returns once QEMU can connect."""
        self._socket.unlink(missing_ok=True)
        subprocess.run(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._folder / 'state'}", "--terminate",
                        "--ctrl", f"type=unixio,path={self._socket}", "--daemon", "--pid", f"file={self._pid}"],
                       check=True, timeout=30)

    def switch_off(self):
        """For when QEMU did not come to let go of it."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(self._pid.read_text()), signal.SIGTERM)

    def words(self):
        """QEMU's."""
        return ["-chardev", f"socket,id=tpm,path={self._socket}", "-tpmdev", "emulator,id=chip,chardev=tpm",
                "-device", "tpm-tis,tpmdev=chip"]
