"""Doing what was asked: what takes long as a job, the rest at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from consent import ledger
from consent.addresses import ids_of, person
from consent.ledger import NewEntry
from consent.models import Method, PrivacyRequest, Purpose, State
from consent.privacy import erasure, export, requests, restricting
from consent.withdrawing import lock_people
from customers import audit
from customers.pg import raw_cursor

if TYPE_CHECKING:
    from customers.sight import Person

_Kind = PrivacyRequest.Kind


def carry_out(
    request: PrivacyRequest, now: datetime, by: "Person | None", *, shown: Sequence[UUID] | None = None
) -> None:
    """Begin what was asked; raises NotNow, NotSure or NobodyKnown. `shown` are whom an erasure was confirmed of."""
    if request.kind == _Kind.ERASURE:
        erasure.ask(request, now, by, shown=shown)
    else:
        _DOES[request.kind](request, now, by)


def hand_over(request: PrivacyRequest, now: datetime, by: "Person | None", note: str = "") -> None:
    """What was asked was given to the person, or mended: it is done."""
    requests.finish(request, now, by, note)


def _object(request: PrivacyRequest, now: datetime, by: "Person | None") -> None:
    """Withdraw every marketing purpose of the brand for whoever it is, whichever address they are written to."""
    profiles = _profiles(request)
    purposes = Purpose.objects.filter(brand_id=request.brand_id, kind=Purpose.Kind.MARKETING).order_by("pk")
    with transaction.atomic():
        with raw_cursor() as cursor:
            addresses = ids_of(cursor, {person(one): str(one) for one in profiles}, now)
        # No letter begins once this is done, to whichever address.
        lock_people(profiles)
        entries = [
            NewEntry(
                address_id=addresses[person(profile)],
                profile_id=profile,
                brand_id=request.brand_id,
                purpose_id=purpose.pk,
                state=State.WITHDRAWN.value,
                method=Method.STAFF.value,
                occurred_at=now,
                evidence={"privacy_request": str(request.pk)},
            )
            for profile in profiles
            for purpose in purposes
        ]
        ledger.append(entries, now)
        # The audit trail's lock is the last one taken.
        requests.begin_work(request, now, by)
        requests.finish(request, now, by)


def _restrict(request: PrivacyRequest, now: datetime, by: "Person | None") -> None:
    profiles = _profiles(request)
    with transaction.atomic():
        restricting.restrict(request, profiles, now)
        # The audit trail's lock is the last one taken.
        requests.begin_work(request, now, by)
        requests.finish(request, now, by)


def lift(request: PrivacyRequest, now: datetime, by: "Person | None") -> int:
    """End the restrictions that this request set; how many profiles they were of."""
    with transaction.atomic():
        count = restricting.lift(request, now)
        if count:
            requests.remark(request, "", now, by)
            audit.record(by, "privacy_lift", request, None, {"profiles": count}, now=now)
    return count


def _profiles(request: PrivacyRequest) -> list[UUID]:
    profiles = sorted(requests.subject_of(request).profiles)
    if not profiles:
        raise requests.NobodyKnown
    return profiles


_DOES: Final[Mapping[str, Callable[[PrivacyRequest, datetime, "Person | None"], object]]] = {
    _Kind.ACCESS: export.ask,
    _Kind.PORTABILITY: export.ask,
    _Kind.CORRECTION: requests.begin_work,
    _Kind.OBJECTION: _object,
    _Kind.RESTRICTION: _restrict,
}
