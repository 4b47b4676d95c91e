"""Asking: a request in the ledger, and a mail to the address itself with a link that confirms it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from consent import notices
from consent.confirming import limits
from consent.ledger import NewEntry, append
from consent.models import Confirmation, ConsentEntry, Method, Purpose, State
from consent.permission import lock_address
from customers.models.address import Channel

# A mail that did not come may be asked for once more, but nobody's mailbox is filled by somebody who presses a button.
AGAIN: Final = timedelta(minutes=15)

Ready = Callable[[UUID], bool]
Send = Callable[[Confirmation, datetime], None]

# Whoever sends messages registers; as long as nobody has, nothing can be asked.
_senders: list[tuple[Ready, Send]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of whom: consent to a purpose, or (without one) a message every so many days or the end of a pause.

    `is_repeated`: told by something that says the same on every page, which sends no second mail while one waits.
    """

    brand_id: UUID
    address_id: UUID
    profile_id: UUID
    language: str
    method: str
    purpose_id: UUID | None = None
    every_days: int | None = None
    ends_pause: bool = False
    notice_version_id: int | None = None
    source_id: UUID | None = None
    event_id: int | None = None
    message_id: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    is_repeated: bool = False


def register(ready: Ready, send: Send) -> None:
    """Offer to send the mails: `ready` tells whether a brand has what it takes, `send` writes one in the caller's
    transaction."""
    if (ready, send) not in _senders:
        _senders.append((ready, send))


def can_ask(brand_id: UUID, channel: str) -> bool:
    """Whether a request of this brand's can be confirmed: it goes by mail, as a link."""
    return channel == Channel.EMAIL and any(ready(brand_id) for ready, _send in _senders)


def ask(asking: Asking, now: datetime) -> bool:
    """Send the mail and note the request, once for as long as it is open; whether one was sent now.

    The request is no consent: until it is confirmed, what stood before stands. Of the mails of one address those beyond
    a day's number are noted and not sent.
    """
    send = next((send for ready, send in _senders if ready(asking.brand_id)), None)
    if send is None:
        return False
    asking = _with_notice(asking)
    with transaction.atomic():
        lock_address(asking.address_id)
        standing = _open(asking)
        if any(_still_asks(one, asking, now) for one in standing):
            return False
        if limits.too_many(asking.address_id, now):
            _hold_back(asking, now)
            return False
        for stale in standing:
            stale.outcome = Confirmation.Outcome.EXPIRED if stale.expires_at <= now else Confirmation.Outcome.OVERTAKEN
            stale.answered_at = now
            stale.save(update_fields=["outcome", "answered_at"])
        send(_note(asking, now), now)
    return True


def defer(asking: Asking, reason: str, now: datetime) -> None:
    """Note a request that nobody can be asked about, with the reason; the same again is no news."""
    if asking.purpose_id is None or _last_state(asking) == State.DEFERRED:
        return
    append([_requested(asking, asking.purpose_id, now, reason)], now)


def request_entry(asking: Asking) -> int | None:
    """The entry of the request that was last made, whether its mail was sent or not."""
    return _entries(asking).filter(state__in=State.undecided()).values_list("pk", flat=True).first()


def waits_for_another(asking: Asking) -> bool:
    """Whether the address is being asked on behalf of another profile."""
    return any(one.profile_id != asking.profile_id for one in _open(asking))


def overtake(address_id: UUID, brand_id: UUID, purpose_id: UUID | None, now: datetime) -> None:
    """What was asked for before is no longer wanted; under the address's lock."""
    waiting = Confirmation.objects.filter(address=address_id, brand=brand_id, outcome=Confirmation.Outcome.OPEN)
    waiting.filter(purpose=purpose_id, ends_pause=False).update(outcome=Confirmation.Outcome.OVERTAKEN, answered_at=now)


def overtake_ends(brand_id: UUID, address_ids: Collection[UUID], customer_id: UUID | None, now: datetime) -> None:
    """No end of a pause is wanted any more, whichever mailbox of the person was to confirm one: it would be the end of
    their pause by each. Under the locks of the addresses, and of the person."""
    waiting = Confirmation.objects.filter(brand=brand_id, ends_pause=True, outcome=Confirmation.Outcome.OPEN)
    theirs = Q(address__in=address_ids)
    if customer_id is not None:
        theirs |= Q(profile__customer=customer_id)
    waiting.filter(theirs).update(outcome=Confirmation.Outcome.OVERTAKEN, answered_at=now)


def _entries(asking: Asking) -> QuerySet[ConsentEntry]:
    """The newest first."""
    return ConsentEntry.objects.filter(
        address=asking.address_id, profile=asking.profile_id, purpose=asking.purpose_id
    ).order_by("-position")


def _last_state(asking: Asking) -> str | None:
    return _entries(asking).values_list("state", flat=True).first()


def _open(asking: Asking) -> list[Confirmation]:
    return list(
        Confirmation.objects.select_for_update().filter(
            address=asking.address_id,
            brand=asking.brand_id,
            purpose=asking.purpose_id,
            ends_pause=asking.ends_pause,
            outcome=Confirmation.Outcome.OPEN,
        )
    )


def _still_asks(known: Confirmation, asking: Asking, now: datetime) -> bool:
    """Whether its mail was sent a moment ago, and about the same. What was asked for another profile gives way, but to
    a claim: with those anybody could keep anybody from being asked."""
    if known.every_days != asking.every_days or now >= known.expires_at:
        return False
    if known.profile_id != asking.profile_id:
        return asking.method == Method.CLAIM
    return asking.is_repeated or now < known.asked_at + AGAIN


def _with_notice(asking: Asking) -> Asking:
    """Who names no notice has people shown the purpose's own."""
    if asking.purpose_id is None or asking.notice_version_id is not None:
        return asking
    newest = notices.latest(Purpose.objects.get(pk=asking.purpose_id))
    return replace(asking, notice_version_id=newest.pk if newest else None)


def _hold_back(asking: Asking, now: datetime) -> None:
    confirmation = _confirmation(asking, now)
    if limits.held_back(confirmation, now):
        return
    confirmation.outcome, confirmation.answered_at = Confirmation.Outcome.HELD_BACK, now
    confirmation.save(force_insert=True)
    defer(asking, limits.TOO_MANY, now)


def _note(asking: Asking, now: datetime) -> Confirmation:
    confirmation = _confirmation(asking, now)
    if asking.purpose_id is not None:
        [confirmation.requested_entry_id] = append([_requested(asking, asking.purpose_id, now)], now)
    confirmation.save(force_insert=True)
    return confirmation


def _confirmation(asking: Asking, now: datetime) -> Confirmation:
    return Confirmation(
        brand_id=asking.brand_id,
        address_id=asking.address_id,
        profile_id=asking.profile_id,
        purpose_id=asking.purpose_id,
        every_days=asking.every_days,
        ends_pause=asking.ends_pause,
        notice_version_id=asking.notice_version_id,
        language=asking.language,
        method=asking.method,
        asked_at=now,
        expires_at=now + timedelta(hours=settings.TRILHA_CONFIRMATION_HOURS),
    )


def _requested(asking: Asking, purpose_id: UUID, now: datetime, not_asked: str = "") -> NewEntry:
    return NewEntry(
        address_id=asking.address_id,
        profile_id=asking.profile_id,
        brand_id=asking.brand_id,
        purpose_id=purpose_id,
        state=(State.DEFERRED if not_asked else State.REQUESTED).value,
        method=asking.method,
        occurred_at=now,
        source_id=asking.source_id,
        event_id=asking.event_id,
        message_id=asking.message_id,
        notice_version_id=asking.notice_version_id,
        language=asking.language,
        evidence={**asking.evidence, limits.NOT_ASKED: not_asked} if not_asked else asking.evidence,
    )
