"""Saying what became of messages that are `unknown`: for whoever may, each noted in the audit trail."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels.dispatch.reconcile import Said, reconcile
from channels.models import Message
from customers import audit, clock
from customers.admin.base import AnyAdmin

# What is chosen on pages; more is for somebody who knows each of them.
_MOST = 500


class ReconcileActions(AnyAdmin):
    def _changes_rows(self, request: HttpRequest) -> bool:
        """Nobody's role writes to messages; saying what became of those one sees is a permission of its own."""
        offered: dict[str, Any] = self.get_actions(request)
        chosen = [offered[name][0] for name in request.POST.getlist("action") if name in offered]
        if chosen and all(set(getattr(one, "allowed_permissions", ())) == {"reconcile"} for one in chosen):
            return False
        return bool(super()._changes_rows(request))

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.reconcile_message"))

    @admin.action(description=_("Of the unknown: they arrived"), permissions=["reconcile"])
    def arrived(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._say(request, queryset, Said.SENT)

    @admin.action(description=_("Of the unknown: they did not arrive"), permissions=["reconcile"])
    def did_not_arrive(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._say(request, queryset, Said.LOST)

    @admin.action(description=_("Of the unknown: send them once more"), permissions=["reconcile"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._say(request, queryset, Said.AGAIN)

    def _say(self, request: HttpRequest, queryset: QuerySet[Message], said: Said) -> None:
        now = clock.utcnow()
        chosen: list[Any] = list(queryset.filter(state=Message.State.UNKNOWN).values_list("pk", flat=True)[:_MOST])
        with transaction.atomic():
            settled = reconcile(chosen, said, now)
            for message in Message.objects.filter(pk__in=settled).select_related("brand"):
                before, after = {"state": Message.State.UNKNOWN.value}, {"state": message.state}
                audit.record(request.user, "reconcile", message, before, after, brand=message.brand, now=now)
        count = len(settled)
        text = ngettext("%(count)s message was settled.", "%(count)s messages were settled.", count)
        self.message_user(request, text % {"count": count})
