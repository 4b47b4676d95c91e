"""Suppressions: by hand for whoever asked by another way; lifted, never deleted."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent import suppression
from consent.models import Suppression
from consent.permission import lock_address
from customers import clock
from customers.admin.base import ExactSearch, Kept
from customers.admin.show import flag, state, when
from customers.pg import raw_cursor
from customers.visibility import sight_of


@admin.register(Suppression)
class SuppressionAdmin(ExactSearch, Kept):
    """Added by hand for whoever asked by another way; lifted, never deleted."""

    list_display = (
        "address",
        "brand",
        state("reason", {}, _("reason")),
        when("created_at", _("since")),
        flag("lifted_at", (_("lifted"), "good"), (_("in force"), "warn")),
    )
    when_empty = _("No address is suppressed. Those of the erased come here by themselves, others by hand.")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter), "brand")
    list_select_related = ("address", "brand")
    search_fields = ("address__value", "address__id")
    search_help_text = _("A whole address.")
    show_full_result_count = False
    fields = ("address", "brand")
    autocomplete_fields = ("address", "brand")
    readonly_fields = ("reason", "created_at", "lifted_at")
    actions = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("consent.change_suppression"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "brand" in form.base_fields:
            # For every brand at once speaks only who sees every brand.
            form.base_fields["brand"].required = not sight_of(request.user).everything
        return form

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        # Waits for a send in hand; none begins after the answer.
        lock_address(obj.address_id)
        obj.reason = Suppression.Reason.MANUAL
        obj.created_at = clock.utcnow()
        super().save_model(request, obj, form, change)
        with raw_cursor() as cursor:
            suppression.tell(cursor, [obj.pk], obj.created_at)

    @admin.action(description=_("Lift"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        with transaction.atomic(), raw_cursor() as cursor:
            count = suppression.lift_by_hand(cursor, queryset.values_list("pk", flat=True), clock.utcnow())
        text = ngettext("%(count)s suppression was lifted.", "%(count)s suppressions were lifted.", count)
        self.message_user(request, text % {"count": count})
