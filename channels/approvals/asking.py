"""Asking providers how the templates of their accounts stand: all of them, page by page, once an hour."""

import logging
import time
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from channels.accounts import service_of
from channels.approvals.keep import forget_others, keep
from channels.models import ApprovalList, Connector
from channels.providers.base import ConfigurationError, DeliveryError, ListsTemplates, provider_class, provider_keys

logger = logging.getLogger(__name__)

_EVERY: Final = timedelta(minutes=55)
_PAGES: Final = 60
_SECONDS: Final = 10.0


def ask_all(now: datetime, seconds: float) -> int:
    """Those that were not asked within the hour, for so long at most; how many were asked."""
    until, count = time.monotonic() + seconds, 0
    kinds = [key for key in provider_keys() if issubclass(provider_class(key), ListsTemplates)]
    due = Connector.objects.filter(provider__in=kinds, is_active=True).filter(
        Q(approval_list=None) | Q(approval_list__asked_at__lte=now - _EVERY)
    )
    for connector in due.order_by("approval_list__asked_at", "pk"):
        if time.monotonic() >= until:
            break
        count += ask(connector, now) is not None
    return count


def ask(connector: Connector, now: datetime) -> str | None:
    """What went wrong, empty when nothing did; None where there is nobody to ask."""
    try:
        service = service_of(connector)
    except ConfigurationError as error:
        return _note(connector, now, str(error))
    if not isinstance(service, ListsTemplates) or not service.has_list:
        return None
    try:
        after = ""
        for _page in range(_PAGES):
            told, after = service.listed(after, time.monotonic() + _SECONDS)
            keep([(connector.pk, one, now) for one in told], is_whole=True)
            if not after:
                break
        else:
            return _note(connector, now, "too many pages")
    except DeliveryError as error:
        logger.warning("templates not listed: %s", error.detail, extra={"connector_id": str(connector.pk)})
        return _note(connector, now, error.detail)
    forget_others(connector.pk, now)
    ApprovalList.objects.update_or_create(connector=connector, defaults={"asked_at": now, "read_at": now, "fault": ""})
    return ""


def _note(connector: Connector, now: datetime, fault: str) -> str:
    ApprovalList.objects.update_or_create(connector=connector, defaults={"asked_at": now, "fault": fault[:200]})
    return fault or "?"
