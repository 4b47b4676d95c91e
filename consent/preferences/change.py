"""What a reader of the preference centre may do: less at once, more only by the mail that confirms it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from consent import pausing
from consent.confirming import ask, limits
from consent.models import Method, Preference
from consent.permission import lock_address
from consent.preferences.centre import FREQUENCIES, Centre, Known, preference
from consent.preferences.stopping import By, Changed, stop_topics
from customers.models import AddressProfile


def set_topics(centre: Centre, shown: Collection[str], ticked: Collection[str], by: By, now: datetime) -> Changed:
    """Only what differs from what the reader was shown is changed; an old page undoes nothing done since."""
    offs = [one for key in shown if key not in ticked and (one := centre.find(key)) is not None and one.on]
    ons = [one for key in ticked if key not in shown and (one := centre.find(key)) is not None and one.can_add]
    stopped = stop_topics(centre, offs, by, now)
    asked = [_ask(centre, one.purpose_id, by, now) for one in ons]
    return replace(stopped, asked=sum(one.asked for one in asked), held_back=any(one.held_back for one in asked))


def renew(centre: Centre, key: str, by: By, now: datetime) -> Changed:
    """Have a consent that ends soon confirmed anew by mail; until then it stands as it is."""
    choice = centre.find(key)
    if choice is None or choice.ends_at is None:
        return Changed()
    return _ask(centre, choice.purpose_id, by, now)


def _ask(
    centre: Centre,
    purpose_id: UUID | None,
    by: By,
    now: datetime,
    *,
    every_days: int | None = None,
    ends_pause: bool = False,
) -> Changed:
    """Nobody is asked who is no user of the address."""
    known = centre.known
    if known.profile_id is None:
        return Changed()
    asking = ask.Asking(
        brand_id=known.brand.pk,
        address_id=known.address.pk,
        profile_id=known.profile_id,
        purpose_id=purpose_id,
        every_days=every_days,
        ends_pause=ends_pause,
        language=by.language,
        method=Method.LINK.value,
        message_id=str(known.link.message_id),
        evidence=by.evidence,
    )
    sent = ask.ask(asking, now)
    return Changed(asked=int(sent), held_back=not sent and limits.too_many(known.address.pk, now))


def pause(centre: Centre, span: str, now: datetime) -> None:
    """Leave the address in peace, and the person behind it by every channel, where that is one person alone."""
    known = centre.known
    addresses, theirs = [known.address.pk], {place.address_id for place in centre.places}
    # A link may have been forwarded: it makes a pause no shorter.
    until = pausing.end_of(span, known.brand.zone, now)
    until = max(until, centre.pauses.get(Method.LINK, until))
    if known.customer is not None and known.profile_id is not None:
        addresses.append(pausing.person_address(known.profile_id, now))
        uses = AddressProfile.objects.filter(profile__customer=known.customer)
        theirs.update(uses.values_list("address_id", flat=True))
    with transaction.atomic():
        pausing.pause(
            known.brand.pk,
            addresses,
            until,
            now,
            method=Method.LINK.value,
            message_id=str(known.link.message_id),
            also_locked=theirs,
        )
        person = known.customer.pk if known.customer is not None else None
        ask.overtake_ends(known.brand.pk, {*addresses, *theirs}, person, now)


def resume(centre: Centre, by: By, now: datetime) -> Changed:
    """Have the end of a pause confirmed by mail: a link may have been forwarded."""
    return _ask(centre, None, by, now, ends_pause=True) if centre.can_resume else Changed()


def speak(centre: Centre, language: str, now: datetime) -> None:
    """Write in this language from now on."""
    _prefer(centre.known, now, language=language)


def untrack(centre: Centre, now: datetime) -> None:
    """See no longer what is opened and followed, of what was sent before as well. No link brings it back: it may have
    been forwarded."""
    _prefer(centre.known, now, is_untracked=True)


def limit(centre: Centre, every_days: int, by: By, now: datetime) -> Changed:
    """Less often at once; more often, or without a limit, once it is confirmed by mail."""
    if every_days not in FREQUENCIES:
        return Changed()
    with transaction.atomic():
        lock_address(centre.own.address_id)
        # As it is by now: the page may have been drawn long ago, and another may have been quicker.
        held = preference(centre.known)
        present = held.every_days if held else 0
        if every_days == present:
            return Changed()
        if not is_less(every_days, present):
            return _ask(centre, None, by, now, every_days=every_days)
        _prefer(centre.known, now, every_days=every_days)
        ask.overtake(centre.own.address_id, centre.known.brand.pk, None, now)
    return Changed(stopped=1)


def is_less(wanted: int, present: int) -> bool:
    return wanted > 0 and (present == 0 or wanted > present)


def _prefer(known: Known, now: datetime, **values: Any) -> None:
    Preference.objects.update_or_create(
        address=known.address, brand=known.brand, defaults={**values, "changed_at": now}
    )
