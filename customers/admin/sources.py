"""Sources, what they may send, and their write keys."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers import clock, keys
from customers.admin.base import AnyTabular, Kept
from customers.admin.browser_keys import WriteKeyForm, snippet_of
from customers.admin.show import badge, flag, state, when
from customers.models import EventType, Source, SourceEventType, WriteKey


class ListedForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        type_, number = cleaned.get("event_type"), cleaned.get("default_version")
        source = self.instance.source if self.instance.source_id else None
        if type_ is not None and source is not None and type_.brand_id != source.brand_id:
            self.add_error("event_type", _("This event type is planned in another brand."))
        elif type_ is not None and number is not None and not _is_approved(type_, number):
            self.add_error("default_version", _("There is no approved version of this number."))
        return cleaned


def _is_approved(event_type: EventType, number: int) -> bool:
    return event_type.versions.filter(number=number, status="approved").exists()


class ListedInline(AnyTabular):
    """The types a source may send, where it may send no others, and the versions they default to."""

    model = SourceEventType
    form = ListedForm
    fields = ("event_type", "default_version")
    autocomplete_fields = ("event_type",)
    extra = 0


@admin.register(Source)
class SourceAdmin(Kept):
    list_display = (
        "name",
        "key",
        "brand",
        "squad",
        state(
            "unplanned",
            {Source.Unplanned.QUARANTINE: "info", Source.Unplanned.MARK: "warn"},
            _("unplanned events"),
        ),
        flag("is_active", (pgettext_lazy("source", "active"), "good"), (pgettext_lazy("source", "off"), "")),
        "further",
    )
    list_filter = ("brand", "is_active", "unplanned")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key", "owner")
    search_help_text = _("A part of the name, key or owner.")
    autocomplete_fields = ("brand", "squad")
    readonly_fields = ("further",)
    prepopulated_fields = {"key": ("name",)}
    inlines = (ListedInline,)
    when_empty = _("A source is a system or partner that sends events: the shop, the app, the stores.")
    fieldsets = (
        (None, {"fields": ("name", "key", "brand", "squad", "is_active", "further")}),
        (_("Who answers for it"), {"fields": ("owner", "contact", "documentation_url", "notes")}),
        (
            _("What it may send"),
            {
                "fields": ("unplanned", "only_listed", "namespace", "per_minute"),
                "description": _("Events whose name has an event type must fit it; others are unplanned."),
            },
        ),
        (
            _("When to worry"),
            {
                "fields": ("rejects_above", "silent_after"),
                "description": _("The first page of the staff tells of it; the health of the source shows why."),
            },
        ),
    )


@admin.register(WriteKey)
class WriteKeyAdmin(Kept):
    """Issued, rotated and revoked, never edited; a server's key is shown in one message and nowhere else."""

    form = WriteKeyForm
    list_display = (
        "prefix",
        "source",
        state("kind", {WriteKey.Kind.BROWSER: "info"}, _("used by")),
        state("mode", {WriteKey.Mode.LIVE: "good", WriteKey.Mode.TEST: "info"}, _("mode")),
        "standing",
        when("last_used_at", _("last used")),
        when("created_at", _("created")),
        when("expires_at", _("ends")),
    )
    list_filter = ("kind", "mode", "source", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("source",)
    search_fields = ("prefix", "source__name")
    search_help_text = _("The first characters of the key, or a part of the source’s name.")
    # A key is given for a source by those who may change the source.
    parent = "source"
    fields = ("source", "mode", "kind", "per_minute", "origins")
    readonly_fields = ("prefix", "standing", "replaces", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("rotate_in_a_day", "rotate_in_a_week", "rotate_in_a_month", "revoke")
    when_empty = _("A source writes with a key. It is shown once, when it is made.")

    class Media:
        css = {"all": ("trilha/browser_keys.css",)}

    def has_change_permission(self, request: HttpRequest, obj: WriteKey | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_writekey"))

    def get_fields(self, request: HttpRequest, obj: WriteKey | None = None) -> Any:
        if obj is None:
            return self.fields
        if obj.kind == WriteKey.Kind.BROWSER:
            return (*self.fields, "public", *self.readonly_fields[1:], "snippet")
        return (*self.fields[:-1], *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: WriteKey | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "public", "snippet")

    @admin.display(description=_("for the pages"))
    def snippet(self, key: WriteKey) -> Any:
        return snippet_of(key)

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: Any, **kwargs: Any) -> Any:
        if db_field.name == "source":
            kwargs["queryset"] = Source.objects.exclude(key=Source.RESERVED_KEY)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: WriteKey, form: Any, change: bool) -> None:
        if obj.kind == WriteKey.Kind.BROWSER:
            issued = keys.issue_browser(obj.source, obj.origins, obj.mode, per_minute=obj.per_minute)
            obj.pk, obj.prefix, obj.public = issued.pk, issued.prefix, issued.public
            text = gettext("The key is made. Its page has the lines to put into your pages.")
            self.message_user(request, text, messages.SUCCESS)
            return
        issued, plaintext = keys.issue(obj.source, obj.mode, per_minute=obj.per_minute)
        obj.pk, obj.prefix = issued.pk, issued.prefix
        self._show_once(request, plaintext)

    @admin.display(description=_("status"))
    def standing(self, key: WriteKey) -> SafeString:
        if key.revoked_at is not None:
            return badge(pgettext("write key", "revoked"), "bad")
        if not key.is_good(clock.utcnow()):
            return badge(pgettext("write key", "ended"), "")
        if key.expires_at is not None:
            return badge(pgettext("write key", "ending"), "warn")
        return badge(pgettext("write key", "in force"), "good")

    @admin.action(description=_("Rotate: a successor now, the old one for another day"), permissions=["revoke"])
    def rotate_in_a_day(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        self._rotate(request, queryset, timedelta(days=1))

    @admin.action(description=_("Rotate: a successor now, the old one for another week"), permissions=["revoke"])
    def rotate_in_a_week(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        self._rotate(request, queryset, timedelta(days=7))

    @admin.action(description=_("Rotate: a successor now, the old one for another month"), permissions=["revoke"])
    def rotate_in_a_month(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        self._rotate(request, queryset, timedelta(days=30))

    def _rotate(self, request: HttpRequest, queryset: QuerySet[WriteKey], overlap: timedelta) -> None:
        now = clock.utcnow()
        for key in queryset:
            try:
                successor, plaintext = keys.rotate(key, now + overlap, now)
            except keys.NotRotated:
                text = gettext("%(key)s has ended or has a successor already.") % {"key": key}
                self.message_user(request, text, messages.ERROR)
            else:
                self.log_addition(request, successor, [{"added": {}}])
                self._show_once(request, plaintext)

    def _show_once(self, request: HttpRequest, plaintext: str) -> None:
        text = gettext("The key is %(key)s. Copy it now: it is shown this once.") % {"key": plaintext}
        self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Revoke at once"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        revoked = list(queryset.filter(revoked_at=None))
        for key in revoked:
            keys.revoke(key, clock.utcnow())
        count = len(revoked)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", count)
        self.message_user(request, text % {"count": count})
