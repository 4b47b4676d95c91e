"""What must hold before a provider is answered: a complaint, an unsubscription, a STOP. All else can wait."""

from datetime import datetime
from typing import Final

from channels.models import Receipt
from channels.providers.base import CallsBack
from channels.receipts import apply, read
from channels.receipts.told import Callback, Happened, Told, ToldReceipt, Unreadable

_PRESSING: Final = frozenset((Happened.COMPLAINED, Happened.UNSUBSCRIBED))


def settle(service: CallsBack, callback: Callback, callback_id: int, now: datetime) -> None:
    """Read and apply the kept call where it takes an agreement away; once it returns no send to that address begins."""
    try:
        told = service.told(callback).told
    except (Unreadable, LookupError, TypeError, ValueError, AttributeError):
        # Kept as it is; its stage finds out, and says why.
        return
    if not any(_is_pressing(one) for one in told):
        return
    read.read_now(callback_id, now)
    waiting = Receipt.objects.filter(callback=callback_id, happened__in=_PRESSING, applied_at=None)
    ids = list(waiting.values_list("pk", flat=True))
    if ids:
        apply.apply(ids, now, patiently=True)


def _is_pressing(told: Told) -> bool:
    return not isinstance(told, ToldReceipt) or told.happened in _PRESSING
