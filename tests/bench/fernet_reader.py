"""Lists a repository of the seed's format as the seed does: Python with the cryptography library."""

import json
import pathlib
import sys

from cryptography.fernet import Fernet

for name in json.loads(Fernet(sys.argv[2]).decrypt(pathlib.Path(sys.argv[1]).read_bytes())):
    print(name)
