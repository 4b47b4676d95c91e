"""Endpoints: made, changed, switched on and off, removed; and what waits for them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks import secrets
from channels.webhooks.body import TEST
from customers import awaited, bells

_AUTHORED: Final = (
    "squad", "name", "url", "events", "tells_personal", "tells_history", "concurrency", "owner", "documentation_url",
    "is_active", "off_reason", "off_at",
)  # fmt: skip
Off = WebhookEndpoint.Off
State = WebhookDelivery.State
ENDED: Final = (State.DELIVERED, State.FAILED, State.CANCELLED)


@transaction.atomic
def keep(endpoint: WebhookEndpoint, now: datetime) -> str:
    """Save it as it is, and have its events queued from now on; return the secret of a new one, to be shown once."""
    secret = secrets.renew(endpoint, now) if endpoint._state.adding else ""
    if secret:
        endpoint.created_at = now
    if endpoint.is_active:
        endpoint.off_reason, endpoint.off_at = "", None
    elif not endpoint.off_reason:
        endpoint.off_reason, endpoint.off_at = Off.BY_HAND, now
    endpoint.events = sorted(set(endpoint.events))
    # What others write of one that is there already, how it goes and its secrets, is left to them.
    endpoint.save(update_fields=None if secret else _AUTHORED)
    _subscribe(endpoint)
    return secret


@transaction.atomic
def rotate(endpoint: WebhookEndpoint, now: datetime, overlap: timedelta = secrets.OVERLAP) -> str:
    """A new secret, to be shown once; the one before it holds as well until `overlap` is over."""
    locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    secret = secrets.renew(locked, now, overlap)
    locked.save(update_fields=["secrets"])
    return secret


@transaction.atomic
def switch_on(endpoint: WebhookEndpoint, now: datetime) -> None:
    """What waited meanwhile goes out; what happened meanwhile was not queued, and can be replayed by its time."""
    endpoint.is_active, endpoint.off_reason, endpoint.off_at = True, "", None
    endpoint.failing_since = endpoint.warned_at = endpoint.rests_until = None
    endpoint.save(update_fields=["is_active", "off_reason", "off_at", "failing_since", "warned_at", "rests_until"])
    _subscribe(endpoint)
    bells.ring("webhooks")


@transaction.atomic
def switch_off(endpoint: WebhookEndpoint, why: WebhookEndpoint.Off, now: datetime) -> None:
    endpoint.is_active, endpoint.off_reason, endpoint.off_at = False, why, now
    endpoint.save(update_fields=["is_active", "off_reason", "off_at"])
    _subscribe(endpoint)


@transaction.atomic
def remove(endpoint: WebhookEndpoint, now: datetime) -> None:
    """For good: its secrets go, what waits is cancelled. What was told stays known."""
    # Deliveries before their endpoint, as whoever settles locks them.
    _cancel(endpoint, (State.WAITING, State.SENDING), now)
    switch_off(endpoint, Off.REMOVED, now)
    secrets.forget(endpoint)
    endpoint.save(update_fields=["secrets"])
    # And what was queued in between, which nobody has in hand.
    _cancel(endpoint, (State.WAITING,), now)


def _cancel(endpoint: WebhookEndpoint, states: Collection[str], now: datetime) -> None:
    there = WebhookDelivery.objects.filter(endpoint=endpoint, state__in=states)
    keys = list(there.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    WebhookDelivery.objects.filter(pk__in=keys).update(
        state=State.CANCELLED, reason="removed", settled_at=now, lease_token=None
    )


def follow_token(old: UUID, new: UUID) -> None:
    """A token was replaced: what it made goes with the one that replaces it."""
    WebhookEndpoint.objects.filter(token_id=old).update(token_id=new)


@transaction.atomic
def ask_for_test(endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery:
    """Queue a delivery that says it is a test, and stands for no event."""
    test = WebhookDelivery.objects.create(
        endpoint=endpoint, name=TEST, received_at=now, queued_at=now, due_at=now, state=State.WAITING
    )
    bells.ring("webhooks")
    return test


def again(ids: Collection[UUID], now: datetime) -> int:
    """Have these told once more, under the same ids and with all their tries, if they are over; how many."""
    with transaction.atomic():
        over = WebhookDelivery.objects.filter(pk__in=ids, state__in=ENDED).exclude(endpoint__off_reason=Off.REMOVED)
        keys = list(over.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        if keys:
            WebhookDelivery.objects.filter(pk__in=keys).update(
                state=State.WAITING, queued_at=now, due_at=now, settled_at=None, tries=0, crashes=0, reason="",
                replays=F("replays") + 1,
            )  # fmt: skip
            bells.ring("webhooks")
    return len(keys)


def _subscribe(endpoint: WebhookEndpoint) -> None:
    awaited.subscribe(f"webhook:{endpoint.pk}", endpoint.events if endpoint.is_active else ())
