"""Deliveries of outgoing webhooks, to be read; those that are over can be told once more."""

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from channels.admin.webhook_words import reasons, words
from channels.models import WebhookAttempt, WebhookDelivery
from channels.webhooks import endpoints
from customers import clock
from customers.admin.base import Facts, link, table
from customers.admin.guarded import GuardedList
from customers.admin.show import Tone, state, when
from customers.visibility import beside

# The rows of a list that one action takes at most.
MOST_AT_ONCE: Final = 1_000
_State = WebhookDelivery.State
_TONES: Final[dict[str, Tone]] = {
    _State.WAITING: "info",
    _State.SENDING: "info",
    _State.DELIVERED: "good",
    _State.FAILED: "bad",
    _State.CANCELLED: "",
}


class ByKey(GuardedList):
    """The newest first, whatever the address asks for: nothing else of such a table is kept in order."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-pk"]


class Told(Facts):
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ByKey


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return reasons()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Told):
    change_form_template = "admin/channels/webhook_delivery.html"
    list_display = (
        "name",
        "endpoint",
        state("state", _TONES, _("state")),
        "why",
        "attempts",
        when("received_at", _("received")),
        when("due_at", _("due")),
        link("event_id", "customers_event", _("event")),
    )
    list_filter = ("state", "endpoint", ReasonFilter)
    list_select_related = ("endpoint",)
    search_fields = ("id", "event_id", "profile_id", "name")
    search_help_text = _("The id of a delivery (webhook-id), event or profile, or a whole name of events.")
    when_empty = _("Nothing to tell yet. As soon as an event comes that a webhook asks for, its delivery is here.")
    actions = ("tell_again",)
    fieldsets = (
        (None, {"fields": ("id", "endpoint", "name", "is_a_test", "event", "profile_id", "received_at")}),
        (_("How it goes"), {"fields": ("state", "why", "queued_at", "due_at", "settled_at", "tries", "replays")}),
        (_("Attempts"), {"fields": ("attempts", "crashes", "each")}),
    )
    readonly_fields = ("is_a_test", "event", "why", "each")
    event = staticmethod(link("event_id", "customers_event", _("event")))

    @admin.display(description=_("reason"))
    def why(self, delivery: WebhookDelivery) -> str:
        return words(delivery.reason)

    @admin.display(description=_("a test"), boolean=True)
    def is_a_test(self, delivery: WebhookDelivery) -> bool:
        return delivery.is_test

    @admin.display(description=_("attempts"))
    def each(self, delivery: WebhookDelivery) -> SafeString | str:
        tried = beside(delivery, WebhookAttempt).filter(delivery=delivery).order_by("-pk")
        return table(
            (_("at"), _("status"), _("reason"), _("milliseconds"), _("reply")),
            [(one.at, one.status, words(one.reason), one.milliseconds, _reply(one)) for one in tried[:50]],
        )

    def has_tell_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.change_webhookdelivery"))

    @admin.action(description=_("Tell once more"), permissions=["tell"])
    def tell_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(keys) > MOST_AT_ONCE:
            text = gettext("At most %(most)s at once. Tell a whole span of time once more on the webhook’s page.")
            self.message_user(request, text % {"most": number_format(MOST_AT_ONCE)}, messages.ERROR)
            return
        count = endpoints.again(keys, clock.utcnow())
        text = ngettext("%(count)s delivery is made once more.", "%(count)s deliveries are made once more.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        delivery = self.get_object(request, object_id)
        # The outcome of a test is waited for at the page.
        is_awaited = delivery is not None and delivery.is_test and delivery.settled_at is None and not delivery.attempts
        return super().change_view(request, object_id, form_url, {"is_awaited": is_awaited, **(extra_context or {})})


def _reply(attempt: WebhookAttempt) -> SafeString | str:
    return format_html('<pre class="t-code" tabindex="0">{}</pre>', attempt.reply) if attempt.reply else ""


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(Told):
    list_display = (
        link("delivery_id", "channels_webhookdelivery", _("delivery")),
        "endpoint",
        when("at", _("at")),
        "status",
        "why",
        "milliseconds",
    )
    list_filter = ("endpoint", ReasonFilter)
    list_select_related = ("endpoint",)
    search_fields = ("delivery__id",)
    search_help_text = _("The id of a delivery.")
    readonly_fields = ("why",)

    @admin.display(description=_("reason"))
    def why(self, attempt: WebhookAttempt) -> str:
        return words(attempt.reason)
