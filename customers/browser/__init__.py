"""`trilha.js` and what belongs to it: every version that was ever released, as pages name it and with the digest they
may ask for.

A page that pins a version and its digest loads that very file or nothing, so a released file is never changed: a
change is a new file, and the old ones stay.
"""

import gzip
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha384
from pathlib import Path
from typing import Final

_HERE = Path(__file__).parent
_NAME = re.compile(r"(trilha(?:-[a-z]+)?)-(\d+)\.(\d+)\.(\d+)\.js")
# What pages load, and beside it parts for what few pages need: the inbox, slots, pushes and their service worker.
NAMES: Final = ("trilha", "trilha-inbox", "trilha-slots", "trilha-push", "trilha-sw")


@dataclass(frozen=True, slots=True)
class Script:
    version: str
    text: bytes
    packed: bytes
    # What stands in a page's `integrity` attribute.
    integrity: str


@cache
def scripts(name: str = "trilha") -> Mapping[str, Script]:
    """By version, the newest last."""
    found = ((_NAME.fullmatch(path.name), path) for path in _HERE.iterdir())
    numbered = sorted(
        (tuple(map(int, match.groups()[1:])), path) for match, path in found if match and match[1] == name
    )
    return {(version := ".".join(map(str, number))): _script(version, path) for number, path in numbered}


def newest(name: str = "trilha") -> Script:
    return list(scripts(name).values())[-1]


def _script(version: str, path: Path) -> Script:
    text = path.read_bytes()
    integrity = "sha384-" + b64encode(sha384(text).digest()).decode()
    return Script(version, text, gzip.compress(text, mtime=0), integrity)
