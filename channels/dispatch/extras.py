"""What templates may name beside what comes with a message, such as products: each root is loaded for a whole batch
by a few statements, before any lock, and only for texts that name it. Previews load the same way."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from channels import options
from channels.models import Reason
from channels.templates import TemplateError, Text, read_of
from customers.work import describe

logger = logging.getLogger(__name__)

# What every message comes with (channels.dispatch.compose, channels.templates.render).
OWN: Final = frozenset(("customer", "event", "journey", "brand", "unsubscribe_url", "preferences_url", "now", "today"))
_TOO_LONG: Final = "what its words need was not had in time"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """For whom a root is wanted: the person of a message in hand, or of a preview; its time is the caller's `now`."""

    brand_id: UUID
    purpose_id: UUID
    channel: str
    profile_id: UUID
    customer_id: UUID | None
    address_id: UUID | None
    locale: str
    brand_locale: str
    # What the template sees besides: `customer`, `event`, `journey`, `brand`.
    context: Mapping[str, Any] = field(default_factory=dict)
    # What the words name below the root: ("weather", "sky") where they say {{ pulled.weather.sky }}.
    names: frozenset[Path] = frozenset()
    # Of the template, where its words were saved.
    version_id: int | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """There is none and will be none: the message fails with a reason, and `detail` holds no personal value."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """None yet: the message comes back after so many seconds, until it is too late for it."""

    reason: str
    detail: str = ""
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """The loader broke over it: counted against this message alone, like any failure of our own."""

    detail: str


Trouble = Fail | Later | Fault
# For each want, in order, plain data or why there is none. By `until` of time.monotonic() it is to be done: what it
# has not got by then is `Later`. It commits what it writes and leaves no lock behind.
Load = Callable[[Sequence[Want], datetime, float], Sequence[Any]]

_loads: dict[str, Load] = {}


def register(root: str, load: Load) -> None:
    """Let templates name `root`."""
    if root in OWN or _loads.setdefault(root, load) is not load:
        raise ValueError(f"templates name something else by {root}")
    _named.cache_clear()


def unregister(root: str) -> None:
    del _loads[root]
    _named.cache_clear()


def roots() -> frozenset[str]:
    """Every name that a template may begin with."""
    return OWN | _loads.keys()


def named_in(text: Text) -> Mapping[str, frozenset[Path]]:
    """By root that has a loader, what the text names below it; nothing of a text that cannot be read."""
    written = options.sources([text.subject, text.html, text.text, text.options])
    said = tuple(source for source in written if any(root in source for root in _loads))
    return _named(said) if said else {}


@lru_cache(maxsize=256)
def _named(sources: tuple[str, ...]) -> Mapping[str, frozenset[Path]]:
    """Read once per text: a version's words stay as they are."""
    found: dict[str, set[Path]] = {}
    for source in sources:
        try:
            paths = read_of(source)
        except TemplateError:
            # It makes no words either, which is told where words are made.
            continue
        for root, *below in paths:
            if root in _loads:
                found.setdefault(root, set()).add(tuple(below))
    return {root: frozenset(below) for root, below in found.items()}


def load(
    wants: Sequence[tuple[Text, Want]], now: datetime, until: float, *, without: Collection[str] = ()
) -> list[Mapping[str, Any] | Trouble]:
    """For each text and whom it is for, what it names by root; or the first trouble with any of it."""
    found: list[dict[str, Any]] = [{} for _want in wants]
    troubles: dict[int, Trouble] = {}
    for root, group in _by_root(wants).items():
        if root in without:
            continue
        values = _loaded(root, [want for _n, want in group], now, until)
        for (n, _want), value in zip(group, values, strict=True):
            if isinstance(value, Trouble):
                troubles.setdefault(n, value)
            else:
                found[n][root] = value
    return [troubles.get(n, values) for n, values in enumerate(found)]


def _by_root(wants: Sequence[tuple[Text, Want]]) -> Mapping[str, list[tuple[int, Want]]]:
    found: dict[str, list[tuple[int, Want]]] = {}
    for n, (text, want) in enumerate(wants):
        for root, names in named_in(text).items():
            found.setdefault(root, []).append((n, replace(want, names=names, version_id=text.version_id)))
    return found


def _loaded(root: str, wants: Sequence[Want], now: datetime, until: float) -> Sequence[Any]:
    """All at once; where that breaks, one by one, so that what broke it is one message's alone."""
    try:
        values = _loads[root](wants, now, until)
        if len(values) != len(wants):
            raise ValueError(f"{root}: {len(values)} for {len(wants)}")
        return values
    except Exception as error:
        logger.warning("%s not loaded for %s: %s", root, len(wants), describe(error))
        if len(wants) == 1:
            return [Fault(f"{root}: {describe(error)}")]
    return [_alone(root, want, now, until) for want in wants]


def _alone(root: str, want: Want, now: datetime, until: float) -> Any:
    if time.monotonic() >= until:
        return Later(Reason.BUSY, f"{root}: {_TOO_LONG}", 1.0)
    return _loaded(root, [want], now, until)[0]
