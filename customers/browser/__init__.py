"""`trilha.js`: every version that was ever released, as pages name it and with the digest they may ask for.

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

_HERE = Path(__file__).parent
_NAME = re.compile(r"trilha-(\d+)\.(\d+)\.(\d+)\.js")


@dataclass(frozen=True, slots=True)
class Script:
    version: str
    text: bytes
    packed: bytes
    # What stands in a page's `integrity` attribute.
    integrity: str


@cache
def scripts() -> Mapping[str, Script]:
    """By version, the newest last."""
    found = ((_NAME.fullmatch(path.name), path) for path in _HERE.iterdir())
    numbered = sorted((tuple(map(int, match.groups())), path) for match, path in found if match)
    return {(version := ".".join(map(str, number))): _script(version, path) for number, path in numbered}


def newest() -> Script:
    return list(scripts().values())[-1]


def _script(version: str, path: Path) -> Script:
    text = path.read_bytes()
    integrity = "sha384-" + b64encode(sha384(text).digest()).decode()
    return Script(version, text, gzip.compress(text, mtime=0), integrity)
