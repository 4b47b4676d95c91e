"""Sources, what they may send, and their write keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers import clock, keys
from customers.admin.base import AnyTabular, Kept
from customers.admin.browser_keys import WriteKeyForm, snippet_of
from customers.admin.show import flag, state, when
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
    )
    list_filter = ("brand", "is_active", "unplanned")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key", "owner")
    search_help_text = _("A part of the name, key or owner.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    inlines = (ListedInline,)
    when_empty = _("A source is a system or partner that sends events: the shop, the app, the stores.")
    fieldsets = (
        (None, {"fields": ("name", "key", "brand", "squad", "is_active")}),
        (_("Who answers for it"), {"fields": ("owner", "documentation_url")}),
        (
            _("What it may send"),
            {
                "fields": ("unplanned", "only_listed", "namespace"),
                "description": _("Events whose name has an event type must fit it; others are unplanned."),
            },
        ),
    )


@admin.register(WriteKey)
class WriteKeyAdmin(Kept):
    """Issued and revoked, never edited; a server's key is shown in one message and nowhere else."""

    form = WriteKeyForm
    list_display = (
        "prefix",
        "source",
        state("kind", {WriteKey.Kind.BROWSER: "info"}, _("used by")),
        state("mode", {WriteKey.Mode.LIVE: "good", WriteKey.Mode.TEST: "info"}, _("mode")),
        when("created_at", _("created")),
        when("revoked_at", _("revoked")),
    )
    list_filter = ("kind", "mode", "source", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("source",)
    search_fields = ("prefix", "source__name")
    search_help_text = _("The first characters of the key, or a part of the source’s name.")
    # A key is given for a source by those who may change the source.
    parent = "source"
    fields = ("source", "mode", "kind", "origins")
    readonly_fields = ("prefix", "created_at", "revoked_at")
    actions = ("revoke",)
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
            issued = keys.issue_browser(obj.source, obj.origins, obj.mode)
            obj.pk, obj.prefix, obj.public = issued.pk, issued.prefix, issued.public
            text = gettext("The key is made. Its page has the lines to put into your pages.")
            self.message_user(request, text, messages.SUCCESS)
            return
        issued, plaintext = keys.issue(obj.source, obj.mode)
        obj.pk, obj.prefix = issued.pk, issued.prefix
        text = gettext("The key is %(key)s. Copy it now: it is shown this once.") % {"key": plaintext}
        self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        revoked = list(queryset.filter(revoked_at=None))
        for key in revoked:
            keys.revoke(key, clock.utcnow())
        count = len(revoked)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", count)
        self.message_user(request, text % {"count": count})
