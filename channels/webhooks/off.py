"""Endpoints that are switched off by themselves: each with a reason that people can read, announced, and mailed to
its owner."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from channels.models import WebhookEndpoint
from channels.webhooks import endpoints
from channels.webhooks.owner import tell_owner
from customers import audit

Off = WebhookEndpoint.Off


@transaction.atomic
def switch_off(endpoint_id: UUID, why: WebhookEndpoint.Off, now: datetime) -> None:
    endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)
    if endpoint.is_active:
        endpoints.switch_off(endpoint, why, now)
        audit.record(None, "webhook_off", endpoint, {"is_active": True}, {"off_reason": why.value}, now=now)
        tell_owner(endpoint, now)


def end_with_tokens(now: datetime) -> int:
    """Those whose token has ended and has no successor: what waits there goes when its time of keeping is over."""
    ended = Q(token__revoked_at__isnull=False) | Q(token__expires_at__lte=now)
    keys = list(WebhookEndpoint.objects.filter(ended, is_active=True).order_by("pk").values_list("pk", flat=True))
    for key in keys:
        switch_off(key, Off.TOKEN, now)
    return len(keys)
