"""What must hold before a provider is answered: a complaint, an unsubscription, a STOP. All else can wait."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.db.models import Q

from channels.models import Connector, ProviderCallback, Receipt
from channels.providers.base import CallsBack
from channels.receipts import apply, read
from channels.receipts.told import Callback, Happened, Told, ToldReceipt, Unreadable
from customers import bells

_PRESSING: Final = frozenset((Happened.COMPLAINED, Happened.UNSUBSCRIBED))
# So long somebody else may be at it; then the provider is told to come again.
_PATIENCE_SECONDS: Final = 8.0
_PAUSE_SECONDS: Final = 0.05


class NotYet(Exception):
    """It is kept, and does not hold yet."""


def settle(service: CallsBack, connector: Connector, callback: Callback, callback_id: int, now: datetime) -> None:
    """Read and apply the kept call where it takes an agreement away; once it returns no send to that address begins.
    Raises NotYet."""
    told: Sequence[Told] = ()
    # What cannot be read is kept as it is; its stage finds out, and says why.
    with suppress(Unreadable, LookupError, TypeError, ValueError, AttributeError):
        told = service.told(callback).told
    try:
        if any(_is_pressing(one) for one in told):
            _until_read(callback_id, now)
            _apply(connector, told, now)
    finally:
        bells.ring("engine")


def _until_read(callback_id: int, now: datetime) -> None:
    """Return once it is read and committed, by us or by the stage that was quicker."""
    until = time.monotonic() + _PATIENCE_SECONDS
    waiting = ProviderCallback.objects.filter(pk=callback_id, status=ProviderCallback.Status.WAITING)
    while not read.read_now(callback_id, now) and waiting.exists():
        if time.monotonic() > until:
            raise NotYet
        time.sleep(_PAUSE_SECONDS)


def _apply(connector: Connector, told: Sequence[Told], now: datetime) -> None:
    """Also what was told before by another call in other words: it is the same receipt, and may wait still. One whose
    message we do not know yet waits on: nobody can say whom it is about."""
    about = Q(pk__in=[])
    for one in told:
        if isinstance(one, ToldReceipt) and one.happened in _PRESSING:
            named = Q(message_key=one.message_key) if one.message_key else Q(provider_id=one.provider_id)
            about |= named & Q(happened=one.happened.value)
    open_ones = Receipt.objects.filter(about, connector=connector, applied_at=None)
    ids = list(open_ones.order_by("pk").values_list("pk", flat=True))
    if ids:
        apply.apply(ids, now, patiently=True)


def _is_pressing(told: Told) -> bool:
    return not isinstance(told, ToldReceipt) or told.happened in _PRESSING
