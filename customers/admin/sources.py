"""Sources, their write keys, and what their events must look like."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers import clock, keys
from customers.accept.schemas import compile_schema
from customers.admin.base import AnyTabular, Kept, ReadOnly, Versioned
from customers.admin.browser_keys import WriteKeyForm, snippet_of
from customers.admin.show import Tone, badge, flag, state, when
from customers.models import EventType, SchemaVersion, Source, WriteKey

if TYPE_CHECKING:
    SchemaModelForm = forms.ModelForm[SchemaVersion]
else:
    SchemaModelForm = forms.ModelForm

_STATUS: Final[dict[str, Tone]] = {
    SchemaVersion.Status.DRAFT: "warn",
    SchemaVersion.Status.APPROVED: "good",
    SchemaVersion.Status.DEPRECATED: "",
}
_SCHEMA: Final = {"type": "object", "required": [], "properties": {}}


@admin.register(Source)
class SourceAdmin(Kept):
    list_display = (
        "name",
        "key",
        "brand",
        "squad",
        state("unplanned", {Source.Unplanned.QUARANTINE: "info"}, _("unplanned events")),
        flag("is_active", (pgettext_lazy("source", "active"), "good"), (pgettext_lazy("source", "off"), "")),
    )
    list_filter = ("brand", "is_active", "unplanned")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key", "owner")
    search_help_text = _("A part of the name, key or owner.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    when_empty = _("A source is a system or partner that sends events: the shop, the app, the stores.")
    fieldsets = (
        (None, {"fields": ("name", "key", "brand", "squad", "is_active")}),
        (_("Who answers for it"), {"fields": ("owner", "documentation_url")}),
        (
            _("What it may send"),
            {
                "fields": ("unplanned", "namespace"),
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


class VersionInline(ReadOnly, AnyTabular):
    """The editions of the form so far; each has a page of its own."""

    model = SchemaVersion
    fields = ("number", "status", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(EventType)
class EventTypeAdmin(Kept):
    list_display = ("name", "brand", state("role", {}, _("role")), "judged_by", "compatibility")
    list_filter = ("brand", "role")
    list_select_related = ("brand",)
    search_fields = ("name", "description")
    search_help_text = _("A part of the name or description.")
    autocomplete_fields = ("brand",)
    inlines = (VersionInline,)
    when_empty = _("An event type says what events of a name mean and what they must look like.")
    fieldsets = (
        (None, {"fields": ("name", "brand", "description", "compatibility")}),
        (
            _("What it means for numbers"),
            {
                "fields": ("role", "amount_property", "currency_property", "key_property"),
                "description": _("Reports find orders, refunds and the like by their role, and read these properties."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventType]:
        rows: QuerySet[EventType] = super().get_queryset(request)
        return rows.prefetch_related("versions")

    def get_inlines(self, request: HttpRequest, obj: EventType | None) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("approved version"))
    def judged_by(self, event_type: EventType) -> Any:
        approved = [one for one in event_type.versions.all() if one.status == SchemaVersion.Status.APPROVED]
        if not approved:
            return badge(_("none"), "warn")
        return badge(f"v{max(one.number for one in approved)}", "good")


class SchemaVersionForm(SchemaModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "schema" in self.fields and self.instance._state.adding:
            self.fields["schema"].initial = _SCHEMA

    def clean_schema(self) -> Any:
        schema = self.cleaned_data["schema"]
        if compile_schema(schema) is None:
            raise ValidationError(_("This is not a JSON Schema that can be used."), code="schema")
        return schema


@admin.register(SchemaVersion)
class SchemaVersionAdmin(Versioned):
    """A draft may be changed; once approved, events have been judged by it."""

    parent = "event_type"
    form = SchemaVersionForm
    list_display = ("__str__", "event_type", state("status", _STATUS, _("status")), when("created_at", _("created")))
    list_filter = ("status", "event_type__brand")
    list_select_related = ("event_type",)
    search_fields = ("event_type__name",)
    search_help_text = _("A part of the event type’s name.")
    autocomplete_fields = ("event_type",)
    readonly_fields = ("status",)
    actions = ("approve", "deprecate")
    when_empty = _("A version says what an event’s properties must look like. Approve it, and events are held to it.")

    def has_change_permission(self, request: HttpRequest, obj: SchemaVersion | None = None) -> bool:
        # Not what versions allow, which is nothing, but what is allowed for any row.
        may = super(Versioned, self).has_change_permission(request, obj)
        return may and (obj is None or obj.status == SchemaVersion.Status.DRAFT)

    @admin.action(description=_("Approve: events are held to it"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[SchemaVersion]) -> None:
        self._move(request, queryset, SchemaVersion.Status.DRAFT, SchemaVersion.Status.APPROVED)

    @admin.action(description=_("Deprecate: events are no longer held to it"), permissions=["change"])
    def deprecate(self, request: HttpRequest, queryset: QuerySet[SchemaVersion]) -> None:
        self._move(request, queryset, SchemaVersion.Status.APPROVED, SchemaVersion.Status.DEPRECATED)

    def _move(self, request: HttpRequest, queryset: QuerySet[SchemaVersion], before: str, after: str) -> None:
        count = queryset.filter(status=before).update(status=after)
        text = ngettext("%(count)s version was changed.", "%(count)s versions were changed.", count)
        self.message_user(request, text % {"count": count})
