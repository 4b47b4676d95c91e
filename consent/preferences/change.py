"""What a reader of the preference centre may do: less at once, more only by the mail that confirms it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.db import transaction

from consent import pausing
from consent.confirming import ask
from consent.ledger import NewEntry, append
from consent.models import ConsentHead, Method, Preference, Purpose, State
from consent.permission import lock_address
from consent.preferences.centre import FREQUENCIES, Centre, Choice, Known
from consent.withdrawing import UNDO, Withdrawal, withdraw
from customers.models import AddressProfile

_SALT: Final = "consent.undo"
# What a withdrawal may have taken the place of to be undone: of an answer, nobody knows whom it bound.
_NOTHING_BEFORE: Final = frozenset({State.UNKNOWN, *State.undecided()})


@dataclass(frozen=True, slots=True)
class By:
    """How a change came: through which language of the page, and what is kept as its evidence."""

    language: str
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it: topics that were stopped, mails that were sent; `undo` takes the stopping back."""

    stopped: int = 0
    asked: int = 0
    undo: str = ""


def set_topics(centre: Centre, shown: Collection[str], ticked: Collection[str], by: By, now: datetime) -> Changed:
    """Only what differs from what the reader was shown is changed; an old page undoes nothing done since."""
    offs = [one for key in shown if key not in ticked and (one := centre.find(key)) is not None and one.on]
    ons = [one for key in ticked if key not in shown and (one := centre.find(key)) is not None and one.can_add]
    stopped = _stop(centre, [_withdrawal(centre, one, by) for one in offs], now)
    return replace(stopped, asked=sum(_ask(centre, one.purpose_id, by, now) for one in ons))


def stop_all(centre: Centre, by: By, now: datetime) -> Changed:
    """Every topic of the page at every place, and marketing that the page does not offer."""
    choices = [one for topic in centre.topics for one in topic.choices]
    offered = {topic.purpose.pk for topic in centre.topics}
    hidden = Purpose.objects.filter(brand=centre.known.brand, kind=Purpose.Kind.MARKETING).exclude(pk__in=offered)
    withdrawals = [_withdrawal(centre, one, by) for one in choices if one.place.own or one.on]
    withdrawals += [_withdrawn(centre, purpose.pk, by) for purpose in hidden.order_by("pk")]
    return _stop(centre, withdrawals, now)


def _stop(centre: Centre, withdrawals: Sequence[Withdrawal], now: datetime) -> Changed:
    if not withdrawals:
        return Changed()
    own = centre.own.address_id
    purposes = [one.purpose_id for one in withdrawals if one.address_id == own]
    with transaction.atomic():
        for address_id in sorted({one.address_id for one in withdrawals}):
            lock_address(address_id)
        before = _heads(own, purposes)
        made = withdraw(withdrawals, now)
        for purpose in purposes:
            ask.overtake(own, centre.known.brand.pk, purpose, now)
    return Changed(stopped=len(made), undo=_undo_token(own, made, before, now))


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


def _heads(address_id: UUID, purposes: Collection[UUID]) -> dict[UUID, str]:
    """What bound the address whoever uses it."""
    held = ConsentHead.objects.filter(address=address_id, profile__isnull=True, purpose__in=purposes)
    return dict(held.values_list("purpose_id", "state"))


def _undo_token(address_id: UUID, made: Collection[int], before: Mapping[UUID, str], now: datetime) -> str:
    """Of the entries made, those that can be taken back."""
    heads = ConsentHead.objects.filter(address=address_id, profile__isnull=True, entry_id__in=list(made))
    entries = [
        entry
        for entry, purpose in heads.order_by("entry_id").values_list("entry_id", "purpose_id")
        if before.get(purpose, State.UNKNOWN) in _NOTHING_BEFORE
    ]
    if not entries:
        return ""
    said = {"address": str(address_id), "entries": entries, "at": int(now.timestamp())}
    return signing.Signer(salt=_SALT).sign_object(said)


def undo(centre: Centre, token: str, by: By, now: datetime) -> bool:
    """Take back what was withdrawn on this page a moment ago, as far as nothing was said since.

    Nothing is granted by it: the entry says that nothing is known of the address as such, as before.
    """
    own = centre.own.address_id
    try:
        said: dict[str, Any] = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return False
    if said["address"] != str(own) or datetime.fromtimestamp(said["at"], UTC) + UNDO < now:
        return False
    with transaction.atomic():
        lock_address(own)
        heads = ConsentHead.objects.filter(
            address=own, profile__isnull=True, entry_id__in=said["entries"], purpose__brand=centre.known.brand
        )
        entries = [_taken_back(centre, head, by, now) for head in heads.order_by("entry_id")]
        append(entries, now)
    return bool(entries)


def _taken_back(centre: Centre, head: ConsentHead, by: By, now: datetime) -> NewEntry:
    return NewEntry(
        address_id=head.address_id,
        profile_id=None,
        brand_id=centre.known.brand.pk,
        purpose_id=head.purpose_id,
        state=State.UNKNOWN.value,
        method=Method.LINK.value,
        occurred_at=now,
        message_id=str(centre.known.link.message_id),
        language=by.language,
        evidence={**by.evidence, "undoes": str(head.entry_id)},
    )


def renew(centre: Centre, key: str, by: By, now: datetime) -> Changed:
    """Have a consent that ends soon confirmed anew by mail; until then it stands as it is."""
    choice = centre.find(key)
    if choice is None or choice.ends_at is None:
        return Changed()
    return Changed(asked=int(_ask(centre, choice.purpose_id, by, now)))


def _ask(centre: Centre, purpose_id: UUID | None, by: By, now: datetime, every_days: int | None = None) -> bool:
    """Whether the mail was sent; nobody is asked who is no user of the address."""
    known = centre.known
    if known.profile_id is None:
        return False
    asking = ask.Asking(
        brand_id=known.brand.pk,
        address_id=known.address.pk,
        profile_id=known.profile_id,
        purpose_id=purpose_id,
        every_days=every_days,
        language=by.language,
        method=Method.LINK.value,
        message_id=str(known.link.message_id),
        evidence=by.evidence,
    )
    return ask.ask(asking, now)


def pause(centre: Centre, span: str, now: datetime) -> None:
    """Leave the address in peace, and the person behind it by every channel, where that is one person alone."""
    known = centre.known
    addresses, theirs = [known.address.pk], [place.address_id for place in centre.places]
    # A link may have been forwarded: it makes a pause no shorter.
    until = pausing.end_of(span, known.brand.zone, now)
    until = max(until, centre.paused_until or until)
    if known.customer is not None and known.profile_id is not None:
        addresses.append(pausing.person_address(known.profile_id, now))
        uses = AddressProfile.objects.filter(profile__customer=known.customer)
        theirs += uses.values_list("address_id", flat=True)
    pausing.pause(
        known.brand.pk,
        addresses,
        until,
        now,
        method=Method.LINK.value,
        message_id=str(known.link.message_id),
        also_locked=theirs,
    )


def resume(centre: Centre, now: datetime) -> bool:
    """End what was asked for by a link; a pause that the staff set is theirs to end."""
    return pausing.resume(centre.known.brand.pk, centre.known.peaceful(), now, method=Method.LINK.value)


def speak(centre: Centre, language: str, now: datetime) -> None:
    """Write in this language from now on."""
    _prefer(centre.known, now, language=language)


def limit(centre: Centre, every_days: int, by: By, now: datetime) -> Changed:
    """Less often at once; more often, or without a limit, once it is confirmed by mail."""
    if every_days not in FREQUENCIES or every_days == centre.every_days:
        return Changed()
    if not is_less(every_days, centre.every_days):
        return Changed(asked=int(_ask(centre, None, by, now, every_days)))
    with transaction.atomic():
        lock_address(centre.own.address_id)
        _prefer(centre.known, now, every_days=every_days)
        ask.overtake(centre.own.address_id, centre.known.brand.pk, None, now)
    return Changed(stopped=1)


def is_less(wanted: int, present: int) -> bool:
    return wanted > 0 and (present == 0 or wanted > present)


def _prefer(known: Known, now: datetime, **values: Any) -> None:
    Preference.objects.update_or_create(
        address=known.address, brand=known.brand, defaults={**values, "changed_at": now}
    )
