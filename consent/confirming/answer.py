"""The answer to the mail: what was asked for takes effect, once, unless it was withdrawn meanwhile."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from consent import pausing
from consent.ledger import NewEntry, append
from consent.models import Confirmation, ConsentEntry, ConsentHead, Method, Preference, State
from consent.permission import lock_address
from consent.preferences.centre import known
from consent.preferences.link import Link
from customers.models import Address, Profile


def find(confirmation_id: UUID) -> Confirmation | None:
    return Confirmation.objects.select_related("brand", "purpose", "address").filter(pk=confirmation_id).first()


def stands(confirmation: Confirmation, now: datetime) -> str:
    """Its outcome as of now: one that nobody answered in time has expired, whether or not that was noted."""
    if confirmation.outcome == Confirmation.Outcome.OPEN:
        if confirmation.expires_at <= now:
            return Confirmation.Outcome.EXPIRED
        if _withdrawn_since(confirmation):
            return Confirmation.Outcome.OVERTAKEN
    return confirmation.outcome


def paused_until(confirmation: Confirmation, now: datetime) -> datetime | None:
    """When the pause ends that still holds where one was to end, if there is any."""
    if not confirmation.ends_pause:
        return None
    return pausing.paused_until(confirmation.brand_id, _concerned(confirmation), now)


def confirm(
    confirmation: Confirmation, now: datetime, *, language: str = "", evidence: Mapping[str, str] | None = None
) -> str:
    """Have it take effect, if it is still open, and return what holds: twice is the same as once.

    Empty: it was erased meanwhile, with whom it was about.
    """
    try:
        return _confirm(confirmation, now, language, evidence or {})
    except Confirmation.DoesNotExist:
        return ""


def _confirm(confirmation: Confirmation, now: datetime, language: str, evidence: Mapping[str, str]) -> str:
    with transaction.atomic():
        concerned = _concerned(confirmation)
        for address_id in concerned:
            lock_address(address_id)
        held = Confirmation.objects.select_for_update().get(pk=confirmation.pk)
        outcome = stands(held, now)
        if held.outcome != Confirmation.Outcome.OPEN:
            return outcome
        if outcome == Confirmation.Outcome.OPEN:
            outcome = Confirmation.Outcome.CONFIRMED
            _take_effect(held, concerned, now, language or held.language, evidence)
        held.outcome, held.answered_at = outcome, now
        held.save(update_fields=["outcome", "answered_at", "given_entry_id"])
    return outcome


def _take_effect(
    held: Confirmation, concerned: Collection[UUID], now: datetime, language: str, evidence: Mapping[str, str]
) -> None:
    if held.purpose_id is not None:
        [held.given_entry_id] = append([_given(held, held.purpose_id, now, language, evidence)], now)
    elif held.every_days is not None:
        Preference.objects.update_or_create(
            address_id=held.address_id,
            brand_id=held.brand_id,
            defaults={"every_days": held.every_days, "changed_at": now},
        )
    elif held.ends_pause:
        # What was asked for by a link; a pause that the staff set is theirs to end. Of the addresses that are locked:
        # whoever a merge has added since keeps their pause.
        pausing.resume(held.brand_id, concerned, now, method=Method.LINK.value)


def _concerned(confirmation: Confirmation) -> list[UUID]:
    """The addresses that the answer changes something of, by ascending id."""
    if not confirmation.ends_pause:
        return [confirmation.address_id]
    link = Link(confirmation.address_id, confirmation.profile_id, confirmation.brand_id, confirmation.pk)
    reader = known(link)
    wanted = reader.peaceful() if reader is not None else [confirmation.address_id]
    return list(Address.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))


def _given(held: Confirmation, purpose_id: UUID, now: datetime, language: str, evidence: Mapping[str, str]) -> NewEntry:
    return NewEntry(
        address_id=held.address_id,
        profile_id=held.profile_id,
        brand_id=held.brand_id,
        purpose_id=purpose_id,
        state=_state(held, purpose_id, now),
        method=Method.DOUBLE_OPT_IN.value,
        occurred_at=now,
        message_id=str(held.pk),
        notice_version_id=held.notice_version_id,
        language=language or held.language,
        evidence={**evidence, "request_entry": str(held.requested_entry_id), "asked_at": held.asked_at.isoformat()},
    )


def _state(held: Confirmation, purpose_id: UUID, now: datetime) -> str:
    """Given anew while it was in force still, a consent is renewed."""
    head = ConsentHead.objects.filter(address=held.address_id, profile=held.profile_id, purpose=purpose_id).first()
    in_force = head is not None and head.state in State.permitting()
    lasts = head is not None and (head.valid_until is None or head.valid_until > now)
    return State.RENEWED.value if in_force and lasts else State.GIVEN.value


def _withdrawn_since(held: Confirmation) -> bool:
    """Whether somebody said no after the mail was asked for: for the address as such, or for any profile of the
    person who asked."""
    if held.purpose_id is None or held.requested_entry_id is None:
        return False
    selves = {held.profile_id, *Profile.objects.filter(customer__profiles=held.profile_id).values_list("pk", flat=True)}
    since = ConsentEntry.objects.filter(
        # A person's pseudo-address has the id of the profile.
        address__in={held.address_id, *selves},
        purpose=held.purpose_id,
        pk__gt=held.requested_entry_id,
        state__in=State.opposing(),
    )
    return any(one is None or one in selves for one in since.values_list("profile_id", flat=True))
