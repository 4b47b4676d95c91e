"""Stopping topics, or all of them, by a link; and taking that back a moment later."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Q

from consent import pausing
from consent.confirming import ask
from consent.ledger import NewEntry, append
from consent.models import Confirmation, ConsentHead, Method, Purpose, State
from consent.permission import lock_address
from consent.preferences.centre import Centre, Choice
from consent.withdrawing import UNDO, Withdrawal, lock_people, withdraw
from customers.models import Profile

_SALT: Final = "consent.undo"
# What a withdrawal may have taken the place of to be undone: of an answer, nobody knows whom it bound.
_NOTHING_BEFORE: Final = frozenset({State.UNKNOWN, *State.undecided()})

# What a withdrawal is of: the address, whom it binds (None: whoever uses it), and the purpose.
_Key = tuple[UUID, UUID | None, UUID]


@dataclass(frozen=True, slots=True)
class By:
    """How a change came: through which language of the page, and what is kept as its evidence."""

    language: str
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it: topics that were stopped, mails that were sent; `undo` takes the stopping back. `held_back`: a
    mail was not sent, since the address had its number of a day."""

    stopped: int = 0
    asked: int = 0
    undo: str = ""
    held_back: bool = False


def stop_topics(centre: Centre, choices: Collection[Choice], by: By, now: datetime) -> Changed:
    return _stop(centre, [_withdrawal(centre, one, by) for one in choices], now)


def stop_all(centre: Centre, by: By, now: datetime) -> Changed:
    """All marketing of the brand, and what else the page offers, for whoever uses the address.

    Where that is one person alone, for them as such: whatever address or channel they are known by, or come to be, and
    whether or not anything could be sent there today. What was asked for and not confirmed is no longer wanted.
    """
    known = centre.known
    wanted = Purpose.objects.filter(
        Q(kind=Purpose.Kind.MARKETING) | Q(kind=Purpose.Kind.SERVICE, is_offered=True), brand=known.brand
    ).order_by("pk")
    withdrawals = [_withdrawn(centre, purpose.pk, by) for purpose in wanted]
    with transaction.atomic():
        people = _themselves(centre, now)
        withdrawals += [
            replace(_withdrawn(centre, purpose.pk, by), address_id=address, profile_id=profile)
            for profile, address in people.items()
            for purpose in wanted
        ]
        changed = _stop(centre, withdrawals, now)
        waiting = Confirmation.objects.filter(brand=known.brand, outcome=Confirmation.Outcome.OPEN)
        waiting.filter(Q(address=known.address) | Q(profile__in=list(people))).update(
            outcome=Confirmation.Outcome.OVERTAKEN, answered_at=now
        )
    return changed


def _themselves(centre: Centre, now: datetime) -> dict[UUID, UUID]:
    """The pseudo-addresses of whom alone the address belongs to, by profile; all their addresses are locked."""
    customer = centre.known.customer
    if customer is None:
        return {}
    profiles = list(Profile.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True))
    people = {profile: pausing.person_address(profile, now) for profile in profiles}
    lock_people(profiles)
    return people


def _stop(centre: Centre, withdrawals: Sequence[Withdrawal], now: datetime) -> Changed:
    if not withdrawals:
        return Changed()
    own = centre.own.address_id
    with transaction.atomic():
        for address_id in sorted({one.address_id for one in withdrawals}):
            lock_address(address_id)
        before = {key: state for key, (state, _entry) in _heads(withdrawals).items()}
        made = withdraw(withdrawals, now)
        for purpose in {one.purpose_id for one in withdrawals if one.address_id == own}:
            ask.overtake(own, centre.known.brand.pk, purpose, now)
        undo = _undo_token(own, made, before, _heads(withdrawals), now)
    return Changed(stopped=len(made), undo=undo)


def _withdrawal(centre: Centre, choice: Choice, by: By) -> Withdrawal:
    """For whoever uses the link's own address; elsewhere for this person alone, since a telephone may be shared."""
    made = _withdrawn(centre, choice.purpose_id, by)
    if choice.place.own:
        return made
    return replace(made, address_id=choice.place.address_id, profile_id=centre.known.profile_id)


def _withdrawn(centre: Centre, purpose_id: UUID, by: By) -> Withdrawal:
    return Withdrawal(
        address_id=centre.own.address_id,
        brand_id=centre.known.brand.pk,
        purpose_id=purpose_id,
        method=Method.LINK.value,
        message_id=str(centre.known.link.message_id),
        language=by.language,
        evidence=by.evidence,
    )


def _heads(withdrawals: Sequence[Withdrawal]) -> dict[_Key, tuple[str, int]]:
    """What these are to take the place of, or have taken: state and entry."""
    addresses, purposes = {one.address_id for one in withdrawals}, {one.purpose_id for one in withdrawals}
    held = ConsentHead.objects.filter(address__in=addresses, purpose__in=purposes)
    rows = held.values_list("address_id", "profile_id", "purpose_id", "state", "entry_id")
    return {(address, profile, purpose): (state, entry) for address, profile, purpose, state, entry in rows}


def _undo_token(
    own: UUID, made: Collection[int], before: Mapping[_Key, str], after: Mapping[_Key, tuple[str, int]], now: datetime
) -> str:
    """What takes all of it back, if all can be: half would not be as it was."""
    entries = sorted(
        entry
        for key, (_state, entry) in after.items()
        if entry in made and before.get(key, State.UNKNOWN) in _NOTHING_BEFORE
    )
    if not entries or len(entries) < len(made):
        return ""
    said = {"address": str(own), "entries": entries, "at": int(now.timestamp())}
    return signing.Signer(salt=_SALT).sign_object(said)


def undo(centre: Centre, token: str, by: By, now: datetime) -> bool:
    """Take back what was withdrawn on this page a moment ago, as far as nothing was said since.

    Nothing is granted by it: the entry says that nothing is known of the address or person as such, as before.
    """
    own = centre.own.address_id
    try:
        said: dict[str, Any] = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return False
    if said["address"] != str(own) or datetime.fromtimestamp(said["at"], UTC) + UNDO < now:
        return False
    heads = ConsentHead.objects.filter(entry_id__in=said["entries"], purpose__brand=centre.known.brand)
    with transaction.atomic():
        for address_id in sorted(set(heads.values_list("address_id", flat=True))):
            lock_address(address_id)
        entries = [_taken_back(centre, head, by, now) for head in heads.order_by("entry_id")]
        append(entries, now)
    return bool(entries)


def _taken_back(centre: Centre, head: ConsentHead, by: By, now: datetime) -> NewEntry:
    return NewEntry(
        address_id=head.address_id,
        profile_id=head.profile_id,
        brand_id=centre.known.brand.pk,
        purpose_id=head.purpose_id,
        state=State.UNKNOWN.value,
        method=Method.LINK.value,
        occurred_at=now,
        message_id=str(centre.known.link.message_id),
        language=by.language,
        evidence={**by.evidence, "undoes": str(head.entry_id)},
    )
