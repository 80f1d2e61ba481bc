"""Folders that many tests of one program begin with: made once, and copied for each test that comes later."""

import atexit
import pathlib
import shutil
import tempfile


class Templates:
    """Two that live at the same time never begin with copies of the same folder: what differs between two machines differs here too."""

    def __init__(self):
        self._made = {}
        self._taken = set()

    def take(self):
        """A number that nobody else has who lives now; give it back by leave()."""
        number = next(number for number in range(len(self._taken) + 1) if number not in self._taken)
        self._taken.add(number)
        return number

    def leave(self, number):
        self._taken.discard(number)

    def fill(self, folder, name, number, make):
        """Puts into `folder` what `make()` puts there, and gives what that gives."""
        if (name, number) not in self._made:
            given = make()
            kept = pathlib.Path(tempfile.mkdtemp(prefix="zkv-template-"))
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            shutil.copytree(folder, kept, symlinks=True, dirs_exist_ok=True)
            self._made[name, number] = kept, given
            return given
        kept, given = self._made[name, number]
        shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
        return given
