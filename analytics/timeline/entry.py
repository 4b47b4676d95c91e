"""What stands on a timeline, whose it is, and where on it a page begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

KINDS: Final[dict[str, Text]] = {
    "event": _("events"),
    "message": _("messages"),
    "consent": _("consents"),
    "entitlement": _("entitlements"),
    "run": _("runs"),
    "refusal": _("refused entries"),
    "identity": _("identity"),
}
# What the kinds are read from, in the order in which entries of one instant are listed.
STREAMS: Final = (
    "message", "run_ended", "run_entered", "refusal", "entitlement", "consent", "event", "joined", "edge", "closed",
    "opened",
)  # fmt: skip
_END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: newest first, at one instant by stream and then by the row's key."""

    at: datetime
    stream: str
    key: str

    def order(self) -> tuple[timedelta, int]:
        return _END - self.at, STREAMS.index(self.stream)

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.stream}~{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raise ValueError where this names no place."""
        at, stream, key = text.split("~")
        place = cls(datetime.fromisoformat(at), stream, key)
        if stream not in STREAMS or place.at.tzinfo is None or len(key) > 36 or not 1900 <= place.at.year < 9999:
            raise ValueError(text)
        return place


@dataclass(frozen=True, slots=True)
class Entry:
    """`tone` is good, warn, bad or nothing; `detail` are values beside the text, masked already where they must be."""

    place: Place
    kind: str
    title: Text
    text: Text = ""
    link: tuple[str, object] | None = None
    channel: str = ""
    brand_id: UUID | None = None
    tone: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


# All rows of a model that whoever asks may see, masked where they must be.
See = Callable[[type[Model]], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose timeline, and what of it: `brands` None means every brand; `kinds` and `channel` narrow the view."""

    profiles: Sequence[UUID]
    addresses: Sequence[UUID]
    see: See
    brands: frozenset[UUID] | None = None
    kinds: frozenset[str] = frozenset(KINDS)
    channel: str = ""

    def of_brands(self, path: str = "brand_id") -> Q:
        return Q() if self.brands is None else Q(**{f"{path}__in": list(self.brands)})


def beyond(rows: "QuerySet[Any]", after: Place | None, stream: str, time: str, limit: int) -> "QuerySet[Any]":
    """The next `limit` rows after a place, newest first; `time` is their column."""
    if after is not None:
        rows = rows.filter(_later(after, stream, time))
    return rows.filter(**{f"{time}__isnull": False}).order_by(f"-{time}", "pk")[:limit]


def _later(after: Place, stream: str, time: str) -> Q:
    earlier, same = Q(**{f"{time}__lt": after.at}), Q(**{time: after.at})
    mine, its = STREAMS.index(stream), STREAMS.index(after.stream)
    if mine < its:
        return earlier
    return earlier | (same if mine > its else same & Q(pk__gt=after.key))
