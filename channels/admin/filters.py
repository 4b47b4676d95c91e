"""How the list of messages is narrowed: by what became of them, by when, and by what asked for them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels.models import Message
from channels.scopes import named
from customers import clock

_State = Message.State
_OUTCOMES: Final = {
    "sent": (_("sent"), (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED)),
    "not_sent": (_("not sent"), (_State.SUPPRESSED, _State.CANCELLED, _State.EXPIRED, _State.FAILED)),
    "waiting": (_("waiting"), (_State.QUEUED, _State.HELD, _State.LEASED, _State.DISPATCHING)),
    "unknown": (_("unknown"), (_State.UNKNOWN,)),
}
_HOURS: Final = {"1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24, "90d": 90 * 24}
_PERIODS: Final = (
    ("1h", _("last hour")),
    ("24h", _("last 24 hours")),
    ("7d", _("last 7 days")),
    ("30d", _("last 30 days")),
    ("90d", _("last 90 days")),
)


class Outcome(admin.SimpleListFilter):
    """Messages that were not sent are messages, too: they have a page and a reason."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(key, label) for key, (label, _states) in _OUTCOMES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = _OUTCOMES.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(state__in=chosen[1])


class Created(admin.SimpleListFilter):
    title = _("asked for in")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return _PERIODS

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        hours = _HOURS.get(self.value() or "")
        return queryset if hours is None else queryset.filter(created_at__gte=clock.utcnow() - timedelta(hours=hours))


class AskedForBy(admin.SimpleListFilter):
    """The journey or broadcast, by name, among those that the person may see."""

    title = _("journey")
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return sorted(named(request.user).items(), key=lambda pair: pair[1].lower())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        known = {key for key, _label in self.lookup_choices}
        return queryset.filter(scope_id=self.value()) if self.value() in known else queryset.none()
