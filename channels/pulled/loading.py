"""What the words of messages name under `pulled`: a loader of channels.dispatch.extras."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.dispatch import extras
from channels.dispatch.extras import Fail, Later, Trouble, Want
from channels.liquid import Reader
from channels.models import PulledSource, Reason
from channels.pulled import hosts
from channels.pulled.address import AddressError, fill, host_of, names_person
from channels.pulled.fetching import Got, Missed
from channels.pulled.hosts import Host
from channels.pulled.known import ROOT, Pulled
from channels.pulled.pulling import Ask, pull
from channels.templates import MissingFieldError, TemplateError

_AGAIN: Final = 30.0
_UNLISTED: Final = Missed("its host is not on the brand’s list")


@dataclass(frozen=True, slots=True)
class Whose:
    """By which brand's list it is asked, and what fills in its address, as its reader writes it."""

    brand_id: UUID
    context: Mapping[str, Any]
    reader: Reader


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: PulledSource
    ask: Ask | None
    fault: Missed | None = None


def register() -> None:
    extras.register(ROOT, load)


def load(wants: Sequence[Want], now: datetime, until: float) -> Sequence[Any]:
    sources = _sources(wants)
    listed = hosts.of_brands({want.brand_id for want in wants}) if sources else {}
    wanted = [
        [
            _wanted(source, Whose(want.brand_id, want.context, Reader(now, want.locale)), listed)
            for source in sources.get(want.version_id, ())
            if is_named(source, want.names)
        ]
        for want in wants
    ]
    found = pull([one.ask for group in wanted for one in group if one.ask], now, until)
    return [_answer(group, found) for group in wanted]


def look(sources: Sequence[PulledSource], whose: Whose, now: datetime, until: float) -> list[Got | Missed]:
    """What each answers, for somebody who looks at the words before they are sent: asked as ever, or known already."""
    listed = hosts.of_brands({whose.brand_id}) if sources else {}
    wanted = [_wanted(source, whose, listed) for source in sources]
    found = pull([one.ask for one in wanted if one.ask], now, until)
    return [_came(one, found) for one in wanted]


def _sources(wants: Sequence[Want]) -> Mapping[int | None, list[PulledSource]]:
    found: dict[int | None, list[PulledSource]] = {}
    versions = {want.version_id for want in wants if want.version_id is not None}
    for source in PulledSource.objects.filter(version_id__in=versions).order_by("version_id", "name"):
        found.setdefault(source.version_id, []).append(source)
    return found


def is_named(source: PulledSource, names: Collection[extras.Path]) -> bool:
    """All of them, where the words take them as a whole."""
    return any(not path or path[0] == source.name for path in names)


def _wanted(source: PulledSource, whose: Whose, listed: Mapping[tuple[UUID, str], Host]) -> _Wanted:
    try:
        host = listed.get((whose.brand_id, host_of(source.url)))
        if host is None:
            return _Wanted(source, None, _UNLISTED)
        url = fill(source.url, whose.context, whose.reader)
        is_personal = names_person(source.url)
    except MissingFieldError as error:
        return _Wanted(source, None, Missed(str(error)))
    except (TemplateError, AddressError):
        return _Wanted(source, None, Missed("no address"))
    seconds = source.timeout_ms / 1000
    return _Wanted(source, Ask(whose.brand_id, url, host, seconds, source.cache_seconds, is_personal))


def _answer(group: Sequence[_Wanted], found: Mapping[UUID, Got | Missed]) -> Pulled | Trouble:
    values: dict[str, Any] = {}
    how: dict[str, str] = {}
    for one in group:
        name, came = one.source.name, _came(one, found)
        if isinstance(came, Got):
            values[name], how[name] = came.value, "answer"
        elif one.source.missing == PulledSource.Missing.FALLBACK:
            values[name], how[name] = one.source.fallback, f"fallback: {came.why}"
        else:
            detail = f"{ROOT}.{name}: {came.why}"
            return Later(Reason.PULL_FAILED, detail, _AGAIN) if came.passes else Fail(Reason.PULL_FAILED, detail)
    return Pulled(values, how)


def _came(one: _Wanted, found: Mapping[UUID, Got | Missed]) -> Got | Missed:
    if one.ask is not None:
        return found[one.ask.key]
    return one.fault or _UNLISTED
