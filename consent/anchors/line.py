"""One anchor as it stands in `anchors.jsonl`: readable by people, signed, naming the line before by its hash."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from consent.anchors import signing

_FORM: Final = "trilha-anchor-1"
FIRST: Final = bytes(32)


class Torn(Exception):
    """The line is no anchor: a writer died while writing it, or somebody who holds no key wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many chains and entries the anchor's tree covers; `notices` is None in lines from before they were."""

    chains: int = 0
    entries: int = 0
    days: int = 0
    audit_entries: int = 0
    notices: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Where the entries lie that this anchor was the first to see: a part of a file, sorted by chain and position."""

    file: str
    offset: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """`heads` is the hash of the file with all heads; `deviations` counts chains that no longer held what an earlier
    anchor had seen; `previous` is the hash of the line before, `restore` that of the newest line of `restores.jsonl`
    there was, or None."""

    number: int
    at: datetime
    root: bytes
    counts: Counts
    segment: Segment
    heads: bytes
    deviations: int
    previous: bytes
    restore: bytes | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`is_signed` is None when its key is no longer known; the lines after it vouch for it then."""

    anchor: Anchor
    digest: bytes
    is_signed: bool | None


def write(anchor: Anchor) -> bytes:
    return signing.seal("anchor", _content(anchor))


def read(text: bytes) -> Line:
    """The anchor of a line without its end; raises Torn."""
    try:
        document = orjson.loads(text)
        anchor = _anchor(document["anchor"])
        key_id, signature = str(document["key"]), bytes.fromhex(document["signature"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Torn from None
    return Line(anchor, sha256(text).digest(), signing.holds(key_id, signature, orjson.dumps(_content(anchor))))


def _content(anchor: Anchor) -> dict[str, Any]:
    counts, segment = anchor.counts, anchor.segment
    notices = {} if counts.notices is None else {"notices": counts.notices}
    restore = {} if anchor.restore is None else {"restore": anchor.restore.hex()}
    return {
        "form": _FORM,
        "number": anchor.number,
        "at": anchor.at.isoformat(),
        "root": anchor.root.hex(),
        "chains": counts.chains,
        "entries": counts.entries,
        "days": counts.days,
        "audit_entries": counts.audit_entries,
        **notices,
        "file": segment.file,
        "offset": segment.offset,
        "size": segment.size,
        "digest": segment.digest.hex(),
        "heads": anchor.heads.hex(),
        "deviations": anchor.deviations,
        "previous": anchor.previous.hex(),
        **restore,
    }


def _anchor(said: dict[str, Any]) -> Anchor:
    if said["form"] != _FORM:
        raise ValueError
    counts = {name: int(said[name]) for name in ("chains", "entries", "days", "audit_entries")}
    if "notices" in said:
        counts["notices"] = int(said["notices"])
    digest = bytes.fromhex(said["digest"])
    return Anchor(
        number=int(said["number"]),
        at=datetime.fromisoformat(said["at"]),
        root=bytes.fromhex(said["root"]),
        counts=Counts(**counts),
        segment=Segment(file=str(said["file"]), offset=int(said["offset"]), size=int(said["size"]), digest=digest),
        heads=bytes.fromhex(said["heads"]),
        deviations=int(said["deviations"]),
        previous=bytes.fromhex(said["previous"]),
        restore=bytes.fromhex(said["restore"]) if "restore" in said else None,
    )
