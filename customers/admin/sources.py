"""Sources, their write keys, and what their events must look like."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import clock, keys
from customers.accept.schemas import compile_schema
from customers.admin.base import Kept, Versioned
from customers.models import EventType, SchemaVersion, Source, WriteKey


@admin.register(Source)
class SourceAdmin(Kept):
    list_display = ("name", "key", "brand", "squad", "unplanned", "is_active")
    list_filter = ("brand", "is_active", "unplanned")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key", "owner")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}


@admin.register(WriteKey)
class WriteKeyAdmin(Kept):
    """Issued and revoked, never edited; the key itself is shown in one message and nowhere else."""

    list_display = ("prefix", "source", "mode", "created_at", "revoked_at")
    list_filter = ("mode", "source", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("source",)
    search_fields = ("prefix", "source__name")
    fields = ("source", "mode")
    readonly_fields = ("prefix", "created_at", "revoked_at")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: WriteKey | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_writekey"))

    def get_fields(self, request: HttpRequest, obj: WriteKey | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: Any, **kwargs: Any) -> Any:
        if db_field.name == "source":
            kwargs["queryset"] = Source.objects.exclude(key=Source.RESERVED_KEY)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: WriteKey, form: Any, change: bool) -> None:
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


@admin.register(EventType)
class EventTypeAdmin(Kept):
    list_display = ("name", "brand", "role", "compatibility")
    list_filter = ("brand", "role")
    list_select_related = ("brand",)
    search_fields = ("name", "description")
    autocomplete_fields = ("brand",)


class SchemaVersionForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
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
    list_display = ("event_type", "number", "status", "created_at")
    list_filter = ("status", "event_type__brand")
    list_select_related = ("event_type",)
    search_fields = ("event_type__name",)
    autocomplete_fields = ("event_type",)
    readonly_fields = ("status",)
    actions = ("approve", "deprecate")

    def has_change_permission(self, request: HttpRequest, obj: SchemaVersion | None = None) -> bool:
        may = bool(request.user.has_perm("customers.change_schemaversion"))
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
