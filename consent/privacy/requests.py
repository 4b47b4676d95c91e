"""The life of a privacy request: taken down, its identity checked, carried out or refused; each step is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from consent.models import Erasure, PrivacyRequest, PrivacyStep
from consent.privacy import due, laws
from customers import audit, erased, kinds
from customers.identifiers import IdentifierError
from customers.ids import NIL
from customers.models import Brand, Source
from customers.privacy import surely
from customers.privacy.subject import Naming, Subject, find

if TYPE_CHECKING:
    from customers.sight import Person

_State = PrivacyRequest.State


class NotNow(Exception):
    """The request is not where that could be done with it."""


class NotSure(Exception):
    """Who asks was not checked well enough for what they ask."""


class NobodyKnown(Exception):
    """Nobody goes by the names of the request, or they were erased: there is nobody it could be carried out for."""


class NotThatDay(Exception):
    """Nothing was asked of the brand on that day: it is still to come, or there was no such brand."""


class SeveralMeant(Exception):
    """More than one person goes by the name, or it is not said whose system gave it: whom it is about is not known."""


class NotAllowed(Exception):
    """The law gives no such reason to refuse this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What somebody asks, by which channel, under which law; `names` are who they say they are, and `asked_on` the day
    of the brand's zone on which it was received, today if it is not told."""

    brand: Brand
    kind: str
    law: str
    channel: str
    names: Sequence[Naming]
    source_id: UUID | None = None
    assurance: int = PrivacyRequest.Assurance.NONE
    note: str = ""
    asked_on: date | None = None


def naming(kind: str, value: str, namespaces: Iterable[UUID], now: datetime) -> list[Naming]:
    """A name as it is compared, once for each namespace where it may mean something; or IdentifierError."""
    known = kinds.current(now).get(kind)
    if known is None:
        raise IdentifierError("unknown_identifier_kind", "There is no such kind of identifier.", "See the guide.")
    compared, original = known.read(value)
    spaces = [NIL] if known.organisation_wide else sorted(set(namespaces))
    return [Naming(space, kind, compared, original) for space in spaces]


def namespaces_of(brand: Brand) -> list[UUID]:
    """Of the brand's sources; what happens inside Trilha names nobody."""
    told = Source.objects.filter(brand=brand).exclude(key=Source.RESERVED_KEY)
    return list(told.order_by("namespace").values_list("namespace", flat=True).distinct())


def name_of_one(kind: str, value: str, namespaces: Sequence[UUID], now: datetime) -> list[Naming]:
    """A name that means one person at most, whether or not anybody is known by it; IdentifierError or SeveralMeant."""
    names = naming(kind, value, namespaces, now)
    if len(names) > 1:
        raise SeveralMeant
    asked = {one[:3] for one in names}
    # Who put their own name to somebody else's on a page would have that one erased or handed out.
    if names and surely.leads_beyond(names):
        raise SeveralMeant
    if any(one[:3] in asked for one in find(names).shared_names):
        raise SeveralMeant
    return names


def day_asked(brand: Brand, asked_on: date | None, now: datetime) -> date:
    """From when the clock of the law runs; raises NotThatDay."""
    first, today = due.day_there(brand, brand.created_at), due.day_there(brand, now)
    if asked_on is not None and not first <= asked_on <= today:
        raise NotThatDay
    return asked_on or today


@transaction.atomic
def take_down(asking: Asking, now: datetime, by: "Person | None" = None) -> PrivacyRequest:
    """Keep what was asked; the clock of the law runs from the day it was received, which may be long ago. Raises
    NotThatDay."""
    asked_on = day_asked(asking.brand, asking.asked_on, now)
    request = PrivacyRequest.objects.create(
        brand=asking.brand,
        kind=asking.kind,
        law=asking.law,
        channel=asking.channel,
        source_id=asking.source_id,
        subject=[[str(one.namespace), *one[1:]] for one in asking.names],
        digests=sorted({erased.digest(*one[:3]).hex() for one in asking.names}),
        assurance=asking.assurance,
        state=_State.READY if asking.assurance >= laws.LEAST[asking.kind] else _State.OPEN,
        asked_on=asked_on,
        opened_at=now,
        due_on=laws.due_on(asking.law, asked_on),
        opened_by_id=by.pk if by is not None else None,
    )
    _note(request, now, by, asking.note, asking.assurance or None)
    audit.record(by, "privacy_open", request, None, _told(request), now=now)
    return request


def names_of(request: PrivacyRequest) -> list[Naming]:
    return [Naming(UUID(space), kind, value, original) for space, kind, value, original in request.subject]


def subject_of(request: PrivacyRequest) -> Subject:
    """Whom it is about, as far as is known now."""
    return find(names_of(request))


def unfinished_erasure(names: Sequence[Naming]) -> PrivacyRequest | None:
    """One that was begun with by such a name: it is still found by its keyed hash."""
    digests = [erased.digest(*one[:3]).hex() for one in names]
    begun = Erasure.objects.filter(request__digests__overlap=digests, finished_at=None).order_by("begun_at")
    found = begun.exclude(request__state=_State.REFUSED).select_related("request").first()
    return found.request if found is not None else None


def verify(request: PrivacyRequest, assurance: int, now: datetime, by: "Person | None", note: str = "") -> None:
    """Note how the identity was checked; once that is enough, the request can be carried out."""

    def checked(row: PrivacyRequest) -> None:
        row.assurance = max(row.assurance, assurance)
        row.state = _State.READY if row.assurance >= laws.LEAST[row.kind] else _State.VERIFYING

    _move(request, (_State.OPEN, _State.VERIFYING, _State.READY), checked, now, by, note, assurance)


def refuse(request: PrivacyRequest, reason: str, now: datetime, by: "Person | None", note: str = "") -> None:
    if reason not in laws.reasons(request.law, request.kind):
        raise NotAllowed

    def refused(row: PrivacyRequest) -> None:
        # What was begun with cannot be brought back: it is gone on with.
        if Erasure.objects.filter(request=row).exists():
            raise NotNow
        row.state, row.refusal, row.ended_at = _State.REFUSED, reason, now

    _move(request, (_State.OPEN, _State.VERIFYING, _State.READY), refused, now, by, note)


def begin_work(request: PrivacyRequest, now: datetime, by: "Person | None") -> None:
    """From here on it is being carried out; by somebody whose identity was checked well enough and whom it still
    names."""

    def begun(row: PrivacyRequest) -> None:
        if row.assurance < laws.LEAST[row.kind]:
            raise NotSure
        # An erasure that was begun with goes on with whom it sealed; it could not be refused either.
        if not row.subject and not Erasure.objects.filter(request=row).exists():
            raise NobodyKnown
        row.state = _State.WORKING

    _move(request, (_State.READY,), begun, now, by)


def finish(request: PrivacyRequest, now: datetime, by: "Person | None", note: str = "") -> None:
    def done(row: PrivacyRequest) -> None:
        row.state, row.ended_at = _State.DONE, now

    _move(request, (_State.WORKING,), done, now, by, note)


def give_up(request: PrivacyRequest, now: datetime, note: str) -> None:
    """What carried it out failed or was stopped: it can be carried out again."""

    def ready(row: PrivacyRequest) -> None:
        row.state = _State.READY

    _move(request, (_State.WORKING,), ready, now, None, note)


def remark(request: PrivacyRequest, note: str, now: datetime, by: "Person | None") -> None:
    with transaction.atomic():
        _note(request, now, by, note)
        audit.record(by, "privacy_note", request, None, {}, now=now)


def _move(
    request: PrivacyRequest,
    from_: Sequence[str],
    change: Any,
    now: datetime,
    by: "Person | None",
    note: str = "",
    assurance: int | None = None,
) -> None:
    with transaction.atomic():
        row = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if row.state not in from_:
            raise NotNow
        before = _told(row)
        change(row)
        row.save(update_fields=["state", "assurance", "refusal", "ended_at"])
        _note(row, now, by, note, assurance)
        differs = audit.changes(before, _told(row))
        audit.record(by, f"privacy_{row.state}", row, *differs, now=now)
    for name in ("state", "assurance", "refusal", "ended_at"):
        setattr(request, name, getattr(row, name))


def _note(request: PrivacyRequest, now: datetime, by: "Person | None", note: str, assurance: int | None = None) -> None:
    PrivacyStep.objects.create(
        request=request, at=now, by_id=by.pk if by is not None else None, state=request.state, assurance=assurance,
        note=note,
    )  # fmt: skip


def _told(request: PrivacyRequest) -> dict[str, Any]:
    return {
        "kind": request.kind,
        "law": request.law,
        "state": request.state,
        "assurance": int(request.assurance),
        "refusal": request.refusal,
        "asked_on": request.asked_on.isoformat(),
        "due_on": request.due_on.isoformat(),
    }
