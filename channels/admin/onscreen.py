"""What stands on people's screens: slots of web pages with their numbers, what was put there, and inbox items."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from channels.models import InAppItem, WebPlacement, WebSlot, WebSlotText
from channels.options import is_address
from customers import clock
from customers.admin.base import AnyAdmin, AnyStacked, Facts, Kept, ReadOnly, link, table
from customers.admin.show import Tone, flag, state, when

if TYPE_CHECKING:
    TextModelForm = forms.ModelForm[WebSlotText]
else:
    TextModelForm = forms.ModelForm

_LATELY: Final = timedelta(days=30)
_OFF: Final[dict[Any, Tone]] = {"acted": "good", "replaced": ""}
_WORDS: Final = ("title", "body", "link", "image", "button")
_FATE: Final = ("placed_at", "expires_at", "shown_at", "clicked_at", "dismissed_at")


class TextForm(TextModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for name in ("link", "image"):
            if cleaned.get(name) and not is_address(cleaned[name]):
                self.add_error(name, ValidationError(_("It begins with https://, or with / on the page itself.")))
        if not any(cleaned.get(name) for name in ("title", "body", "image")):
            raise ValidationError(_("Say something, or leave the language out."), code="empty")
        return cleaned


class TextInline(AnyStacked):
    """What everybody sees for whom nothing was put there."""

    model = WebSlotText
    form = TextForm
    extra = 0


@admin.register(WebSlot)
class WebSlotAdmin(Kept):
    list_display = (
        "name",
        "key",
        "brand",
        "squad",
        flag("is_active", (pgettext_lazy("web slot", "active"), "good"), (pgettext_lazy("web slot", "off"), "")),
        "stands",
    )
    list_filter = ("brand", "is_active")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    inlines = (TextInline,)
    when_empty = _(
        "A slot is a place on your pages. Journeys put contents there for one person; everybody else sees what is"
        " usual."
    )
    readonly_fields = ("lately", "preview", "snippet")

    class Media:
        css = {"all": ("trilha/onscreen.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebSlot]:
        rows: QuerySet[WebSlot] = super().get_queryset(request)
        return rows.prefetch_related("texts")

    def get_fieldsets(self, request: HttpRequest, obj: WebSlot | None = None) -> Any:
        own = (None, {"fields": ("name", "key", "brand", "squad", "where", "is_active")})
        if obj is None:
            return (own,)
        return (
            own,
            (_("How it goes"), {"fields": ("lately",)}),
            (_("On the page"), {"fields": ("preview", "snippet")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: WebSlot | None = None) -> Any:
        # Pages and templates name it by brand and key.
        return () if obj is None else ("key", "brand", *self.readonly_fields)

    def get_prepopulated_fields(self, request: HttpRequest, obj: WebSlot | None = None) -> Any:
        return {} if obj is not None else self.prepopulated_fields

    @admin.display(description=_("usual content"))
    def stands(self, slot: WebSlot) -> str:
        return ", ".join(sorted(text.locale for text in slot.texts.all())) or "–"

    @admin.display(description=_("the last 30 days"))
    def lately(self, slot: WebSlot) -> SafeString | str:
        now = clock.utcnow()
        counted = WebPlacement.objects.filter(slot=slot, placed_at__gte=now - _LATELY).aggregate(
            placed=Count("pk"),
            live=Count("pk", filter=Q(off_at=None, dismissed_at=None, expires_at__gt=now)),
            shown=Count("shown_at"),
            clicked=Count("clicked_at"),
            dismissed=Count("dismissed_at"),
            off=Count("off_at"),
        )
        heads = (
            pgettext("on screen", "placed"),
            pgettext("on screen", "standing now"),
            pgettext("on screen", "shown"),
            pgettext("on screen", "clicked"),
            pgettext("on screen", "dismissed"),
            pgettext("on screen", "taken off"),
        )
        return table(heads, [tuple(counted.values())])

    @admin.display(description=_("what is usual"))
    def preview(self, slot: WebSlot) -> SafeString:
        return render_to_string("admin/channels/slot_preview.html", {"texts": slot.texts.order_by("locale")})

    @admin.display(description=_("for the pages"))
    def snippet(self, slot: WebSlot) -> SafeString:
        return render_to_string("admin/channels/slot_snippet.html", {"slot": slot})


@admin.register(WebSlotText)
class WebSlotTextAdmin(ReadOnly, AnyAdmin):
    """Written with its slot; here to be found."""

    list_display = ("slot", "locale", "title")
    list_filter = ("locale", "slot__brand")
    list_select_related = ("slot",)
    search_fields = ("slot__name", "title")
    search_help_text = _("A part of the slot’s name or of the title.")


class OnScreenAdmin(Facts):
    list_select_related: ClassVar[Any] = ("brand",)
    search_fields = ("id", "message__id", "profile__id")
    search_help_text = _("The whole id of it, of its message or of a profile.")
    message_link = staticmethod(link("message_id", "channels_message", _("message")))
    profile_link = staticmethod(link("profile_id", "customers_profile", _("profile")))


@admin.register(WebPlacement)
class WebPlacementAdmin(OnScreenAdmin):
    list_display = (
        "title",
        "slot",
        "brand",
        "priority",
        when("placed_at", pgettext_lazy("on screen", "placed")),
        when("shown_at", pgettext_lazy("on screen", "shown")),
        when("clicked_at", pgettext_lazy("on screen", "clicked")),
        state("off_reason", _OFF, _("taken off because")),
    )
    list_filter = ("brand", "slot", "off_reason")
    list_select_related = ("brand", "slot")
    fieldsets = (
        (None, {"fields": ("slot", "brand", "profile_link", "message_link", "priority")}),
        (_("What was said"), {"fields": (*_WORDS, "locale")}),
        (_("What came of it"), {"fields": (*_FATE, "off_at", "off_reason")}),
    )
    readonly_fields = ("profile_link", "message_link")
    when_empty = _("Nothing was put into a slot yet. A journey’s message on the channel “web” does.")


@admin.register(InAppItem)
class InAppItemAdmin(OnScreenAdmin):
    list_display = (
        "title",
        "brand",
        when("placed_at", pgettext_lazy("on screen", "placed")),
        when("shown_at", pgettext_lazy("on screen", "shown")),
        when("read_at", pgettext_lazy("on screen", "read")),
        when("clicked_at", pgettext_lazy("on screen", "clicked")),
        when("expires_at", _("shown until")),
    )
    list_filter = ("brand",)
    fieldsets = (
        (None, {"fields": ("brand", "profile_link", "message_link")}),
        (_("What was said"), {"fields": (*_WORDS, "locale")}),
        (_("What came of it"), {"fields": (*_FATE, "read_at")}),
    )
    readonly_fields = ("profile_link", "message_link")
    when_empty = _("Nobody has anything in their inbox yet. A journey’s message on the channel “in-app” goes there.")
