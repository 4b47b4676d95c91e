"""What people wrote to us, by whom."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models import Conversation, Inbound
from customers.admin.base import Facts, link, table
from customers.admin.show import Tone, flag, state, when
from customers.visibility import beside

_SHOWN: Final = 100
_MEANING: Final[dict[Any, Tone]] = {Inbound.Meaning.STOP: "warn", Inbound.Meaning.START: "good"}


@admin.register(Conversation)
class ConversationAdmin(Facts):
    ordering = ("-last_at", "-pk")  # type: ignore[assignment]  # Facts has one
    list_display = (
        "who",
        "channel",
        "brand",
        flag(
            "is_unread",
            (pgettext_lazy("conversation", "unread"), "warn"),
            (pgettext_lazy("conversation", "read"), "good"),
        ),
        when("last_at", _("last heard from")),
    )
    list_filter = ("brand", "channel", "is_unread")
    list_select_related = ("brand", "address")
    search_fields = ("id", "address__value")
    search_help_text = _("A whole address, or the id of a conversation.")
    when_empty = _("Nobody has written yet. What people answer to an SMS or a WhatsApp message is kept here.")
    fieldsets = (
        (None, {"fields": ("who", "profile_link", "brand", "channel", "connector", "began_at", "last_at")}),
        (_("What was written"), {"fields": ("written",)}),
    )
    readonly_fields = ("who", "profile_link", "written")
    actions = ("mark_read",)

    @admin.display(description=_("from"))
    def who(self, conversation: Conversation) -> str:
        return conversation.address.value if conversation.address_id and conversation.address else "–"

    profile_link = staticmethod(link("profile_id", "customers_profile", _("profile")))

    @admin.display(description=_("newest first"))
    def written(self, conversation: Conversation) -> SafeString | str:
        rows = beside(conversation, Inbound).filter(conversation=conversation).order_by("-pk")[:_SHOWN]
        return table(
            (_("at"), _("text"), _("keyword"), _("suggested"), _("attachments")),
            [
                (one.at, one.text, one.get_meaning_display(), one.get_suggestion_display(), one.attachments)
                for one in rows
            ],
        )

    def has_mark_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.change_conversation"))

    @admin.action(description=_("Mark as read"), permissions=["mark"])
    def mark_read(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        queryset.update(is_unread=False)


@admin.register(Inbound)
class InboundAdmin(Facts):
    list_display = (
        link("conversation_id", "channels_conversation", _("conversation")),
        "text",
        state("meaning", _MEANING, _("keyword")),
        when("at", _("at")),
    )
    list_filter = ("meaning", "suggestion")
    search_fields = ("conversation__id", "provider_id")
    search_help_text = _("The whole id of a conversation, or the provider’s of a message.")
