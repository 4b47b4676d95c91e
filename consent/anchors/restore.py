"""One restore of the database to an earlier time, as it stands in `restores.jsonl`: signed, naming the line before."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from consent.anchors import signing
from consent.anchors.line import Torn

_FORM: Final = "trilha-restore-1"


class Gap(NamedTuple):
    """Numbers from one to another that no anchor in the folder has."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.last > self.first else f"{self.first}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Anchors `first` to `last` tell of what the restored database no longer holds, or of what came after it: they are
    set aside. `after` is the hash of the line of the last of them, `previous` that of the restore noted before. `then`
    are the times of later restores that this one note tells of as well, and `gaps` what is known to be missing of the
    anchors' numbers."""

    number: int
    at: datetime
    by: str
    why: str
    restored_to: datetime
    first: int
    last: int
    after: bytes
    previous: bytes
    then: tuple[datetime, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def kept(self) -> int:
        """The last anchor all of which the restored database held; 0 for none."""
        return self.first - 1


@dataclass(frozen=True, slots=True)
class Noted:
    """`is_signed` is None when its key is no longer known; what names its hash vouches for it then."""

    restore: Restore
    digest: bytes
    is_signed: bool | None


def write(restore: Restore) -> bytes:
    return signing.seal("restore", _content(restore))


def read(text: bytes) -> Noted:
    """The restore of a line without its end; raises Torn."""
    try:
        document = orjson.loads(text)
        restore = _restore(document["restore"])
        key_id, signature = str(document["key"]), bytes.fromhex(document["signature"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Torn from None
    return Noted(restore, sha256(text).digest(), signing.holds(key_id, signature, orjson.dumps(_content(restore))))


def _content(restore: Restore) -> dict[str, Any]:
    then = {"then": [at.isoformat() for at in restore.then]} if restore.then else {}
    gaps = {"gaps": [list(gap) for gap in restore.gaps]} if restore.gaps else {}
    return {
        "form": _FORM,
        "number": restore.number,
        "at": restore.at.isoformat(),
        "by": restore.by,
        "why": restore.why,
        "restored_to": restore.restored_to.isoformat(),
        "first": restore.first,
        "last": restore.last,
        "after": restore.after.hex(),
        "previous": restore.previous.hex(),
        **then,
        **gaps,
    }


def _restore(said: dict[str, Any]) -> Restore:
    if said["form"] != _FORM:
        raise ValueError
    return Restore(
        number=int(said["number"]),
        at=datetime.fromisoformat(said["at"]),
        by=str(said["by"]),
        why=str(said["why"]),
        restored_to=datetime.fromisoformat(said["restored_to"]),
        first=int(said["first"]),
        last=int(said["last"]),
        after=bytes.fromhex(said["after"]),
        previous=bytes.fromhex(said["previous"]),
        then=tuple(datetime.fromisoformat(at) for at in said.get("then", ())),
        gaps=tuple(Gap(int(first), int(last)) for first, last in said.get("gaps", ())),
    )
