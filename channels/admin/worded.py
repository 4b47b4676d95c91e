"""What the pages of templates and of content blocks share: they have versions, and those have words."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.admin.base import AnyStacked, Kept
from customers.admin.show import badge, state


class Worded(Kept):
    list_display = ("name", "key", "brand", "squad", state("channel", {}, _("channel")), "latest")
    list_filter = ("brand", "channel")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    fields = ("name", "key", "brand", "squad", "channel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("versions__texts")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("latest version"))
    def latest(self, row: Any) -> SafeString:
        newest = max(row.versions.all(), key=lambda version: version.number, default=None)
        if newest is None:
            return badge(_("none"), "warn")
        return badge(f"v{newest.number} · {', '.join(text.locale for text in newest.texts.all())}", "good")


class Texts(AnyStacked):
    """The words of a version, a text for each language."""

    extra = 2
    min_num = 1
    validate_min = True

    def words_before(self, request: HttpRequest) -> Sequence[object]:
        """The texts that a new version begins with."""
        return ()

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """Room for one language more than there were."""
        return max(self.extra, len(self.words_before(request))) if obj is None else 0
