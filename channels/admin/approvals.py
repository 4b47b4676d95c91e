"""How templates stand with the provider that has to approve them."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.approvals.book import WORDS, books, language_of
from channels.models import Approval, ApprovalList, Connector, Template
from customers import clock
from customers.admin.base import AnyAdmin, ReadOnly, table
from customers.admin.show import Tone, badge, state, when
from customers.models.address import Channel

_State = Approval.State
_TONES: dict[Any, Tone] = {
    _State.APPROVED: "good",
    _State.PENDING: "info",
    _State.PAUSED: "warn",
    _State.REJECTED: "bad",
    _State.DISABLED: "bad",
}


@admin.register(Approval)
class ApprovalAdmin(ReadOnly, AnyAdmin):
    list_display = (
        "name",
        "language",
        "connector",
        state("state", _TONES, _("state")),
        "category",
        "quality",
        "places",
        "reason",
        when("as_of", _("as of")),
    )
    list_filter = ("state", "language", "connector")
    list_select_related = ("connector",)
    search_fields = ("name",)
    search_help_text = _("A part of the name.")
    when_empty = _(
        "WhatsApp’s templates show here once a connector names its business account; they are asked for once an hour."
    )


@admin.register(ApprovalList)
class ApprovalListAdmin(ReadOnly, AnyAdmin):
    list_display = ("connector", when("asked_at", _("asked")), when("read_at", _("last read whole")), "fault")
    list_select_related = ("connector",)
    search_fields = ("connector__name", "connector__key")
    search_help_text = _("A part of the connector’s name or key.")


def standing(template: Template) -> SafeString | str:
    """How what its latest words name stands, by language and connector."""
    latest = template.versions.order_by("-number").first()
    if template.channel != Channel.WHATSAPP or latest is None:
        return ""
    connectors = Connector.objects.filter(brand=template.brand_id, channel=template.channel, is_active=True)
    named = dict(connectors.values_list("pk", "name"))
    rows = []
    for connector_id, book in books(named, clock.utcnow()).items():
        for text in latest.texts.order_by("locale"):
            name = str(text.options.get("template") or "")
            if not name or "{" in name:
                continue
            fault, row = (
                book.fault(text.options, text.locale),
                book.rows.get((name, language_of(text.options, text.locale))),
            )
            shown = badge(WORDS[fault], "bad") if fault else badge(_State.APPROVED.label, "good")
            rows.append((text.locale, name, named[connector_id], shown, row.quality if row else ""))
    return table((_("locale"), _("approved template"), _("connector"), _("state"), _("quality")), rows) or "–"
