"""Notices and their editions: the words people read when they are asked."""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from consent import notices
from consent.models import Notice, NoticeText, NoticeVersion
from customers import audit, clock
from customers.admin.base import AnyAdmin, AnyStacked, Kept, ReadOnly, Versioned, Versions, a_new_version, may_add
from customers.admin.show import badge, flag, when

# As much of a text as a line holds.
_READ: Final = 120


@admin.display(description=_("SHA-256 of the text"))
def _digest(text: NoticeText) -> str:
    return bytes(text.digest).hex() if text.digest else ""


class NoticeVersionInline(Versions):
    """The editions so far."""

    model = NoticeVersion
    fields = ("page", "created_at", "published_at")
    readonly_fields = fields


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
    fields = ("name", "key", "brand")

    def get_fields(self, request: HttpRequest, obj: Notice | None = None) -> Any:
        return (*self.fields, "anew") if obj is not None and may_add(request, NoticeVersion) else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Notice | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "anew")

    @admin.display(description=_("words"))
    def anew(self, notice: Notice) -> SafeString:
        return a_new_version(NoticeVersion, notice=notice.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        rows: QuerySet[Notice] = super().get_queryset(request)
        return rows.prefetch_related("versions__texts")

    def get_inlines(self, request: HttpRequest, obj: Notice | None) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("latest published version"))
    def editions(self, notice: Notice) -> SafeString:
        published = (version for version in notice.versions.all() if version.published_at is not None)
        latest = max(published, key=lambda version: version.number, default=None)
        if latest is None:
            return badge(_("none"), "warn")
        return badge(f"v{latest.number} · {', '.join(text.locale for text in latest.texts.all())}", "good")


class NoticeTextInline(AnyStacked):
    model = NoticeText
    extra = 2
    min_num = 1
    validate_min = True

    def has_add_permission(self, request: HttpRequest, obj: NoticeVersion | None = None) -> bool:
        # Of a published version there is nothing to fill in any more.
        may = super().has_add_permission(request, obj)
        return bool(may) and (obj is None or obj.published_at is None)


@admin.register(NoticeVersion)
class NoticeVersionAdmin(Versioned):
    """A draft is edited; people agree to a published one, so new words are a new version."""

    parent = "notice"
    list_display = (
        "__str__",
        "notice",
        when("created_at", _("created")),
        flag("published_at", (_("published"), "good"), (_("draft"), "warn")),
    )
    list_filter = ("notice__brand", ("published_at", admin.EmptyFieldListFilter))
    list_select_related = ("notice",)
    search_fields = ("notice__name", "notice__key")
    search_help_text = _("A part of the notice’s name or key.")
    autocomplete_fields = ("notice",)
    readonly_fields = ("published_at",)
    inlines = (NoticeTextInline,)
    actions_submit_line = ("publish",)

    def has_change_permission(self, request: HttpRequest, obj: NoticeVersion | None = None) -> bool:
        may = super(Versioned, self).has_change_permission(request, obj)
        return bool(may) and (obj is None or obj.published_at is None)

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> Any:
        """Offered, and heeded, on the page of a draft that this person may change."""
        version = self.get_queryset(request).filter(pk=object_id).first()
        may = version is not None and self.has_change_permission(request, version)
        return super().get_actions_submit_line(request, object_id) if may else []  # type: ignore[misc]  # unfold's own

    @action(description=_("Save and publish"))
    def publish(self, request: HttpRequest, obj: NoticeVersion) -> None:
        """Asked for before the texts of the page are saved: noted, and done after."""
        request.__dict__["_publishes"] = True

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if request.__dict__.pop("_publishes", False):
            self._publish(request, form.instance)

    def _publish(self, request: HttpRequest, version: NoticeVersion) -> None:
        now = clock.utcnow()
        try:
            notices.publish(version, now)
        except notices.NotPublished as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        actor = request.user if request.user.is_authenticated else None
        audit.record(actor, "publish", version, {"published_at": None}, {"published_at": now}, now=now)
        self.message_user(request, gettext("It is published. From now on it is never changed."), messages.SUCCESS)


@admin.register(NoticeText)
class NoticeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "beginning", "own_hash")
    readonly_fields = ("own_hash",)
    own_hash = staticmethod(_digest)
    list_filter = ("locale",)
    list_select_related = ("version__notice",)
    search_fields = ("version__notice__name", "text")
    search_help_text = _("A part of the notice’s name or of the text.")

    @admin.display(description=_("text"))
    def beginning(self, text: NoticeText) -> str:
        return Truncator(text.text).chars(_READ)
