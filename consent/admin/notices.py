"""Notices and their editions: the words people read when they are asked."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from consent.models import Notice, NoticeText, NoticeVersion
from customers.admin.base import AnyAdmin, AnyStacked, AnyTabular, Kept, ReadOnly, Versioned
from customers.admin.show import badge, when

# As much of a text as a line holds.
_READ: Final = 120


class NoticeVersionInline(ReadOnly, AnyTabular):
    """The editions so far; each has a page of its own."""

    model = NoticeVersion
    fields = ("number", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(Notice)
class NoticeAdmin(Kept):
    list_display = ("name", "key", "brand", "editions")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    inlines = (NoticeVersionInline,)
    when_empty = _("A notice is the words people read when they are asked. Each edition is kept for ever.")
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        rows: QuerySet[Notice] = super().get_queryset(request)
        return rows.prefetch_related("versions__texts")

    def get_inlines(self, request: HttpRequest, obj: Notice | None) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("latest version"))
    def editions(self, notice: Notice) -> SafeString:
        latest = max(notice.versions.all(), key=lambda version: version.number, default=None)
        if latest is None:
            return badge(_("none"), "warn")
        return badge(f"v{latest.number} · {', '.join(text.locale for text in latest.texts.all())}", "good")


class NoticeTextInline(AnyStacked):
    model = NoticeText
    extra = 2
    min_num = 1
    validate_min = True


@admin.register(NoticeVersion)
class NoticeVersionAdmin(Versioned):
    """People agreed to these words: new words are a new version."""

    parent = "notice"
    list_display = ("__str__", "notice", when("created_at", _("created")))
    list_filter = ("notice__brand",)
    list_select_related = ("notice",)
    search_fields = ("notice__name", "notice__key")
    search_help_text = _("A part of the notice’s name or key.")
    autocomplete_fields = ("notice",)
    inlines = (NoticeTextInline,)


@admin.register(NoticeText)
class NoticeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "beginning")
    list_filter = ("locale",)
    list_select_related = ("version__notice",)
    search_fields = ("version__notice__name", "text")
    search_help_text = _("A part of the notice’s name or of the text.")

    @admin.display(description=_("text"))
    def beginning(self, text: NoticeText) -> str:
        return Truncator(text.text).chars(_READ)
