"""Browsers that take pushes, to be read: since when, by which connector, and whether its key is still that one."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models import PushSubscription
from customers.admin.base import Facts, link
from customers.admin.show import badge, when


@admin.register(PushSubscription)
class PushSubscriptionAdmin(Facts):
    list_display = (
        link("address_id", "customers_address", _("address")),
        "connector",
        "standing",
        when("created_at", _("subscribed at")),
        when("told_at", _("last told at")),
    )
    list_filter = ("connector__brand", "connector")
    list_select_related = ("connector",)
    search_fields = ("address__id",)
    when_empty = _("No browser has subscribed yet. A connector of Web Push has the lines that pages need.")

    @admin.display(description=_("status"))
    def standing(self, subscription: PushSubscription) -> SafeString:
        if subscription.is_reached:
            return badge(pgettext_lazy("subscription", "reached"), "good")
        return badge(pgettext_lazy("subscription", "of another key"), "warn")
