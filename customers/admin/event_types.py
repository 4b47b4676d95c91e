"""Event types: what events of a name mean, how often they come, and those that nobody planned yet."""

from typing import TYPE_CHECKING, Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers import clock
from customers.admin.base import Kept, Versions
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.admin.show import badge, state
from customers.models import Brand, EventType, SchemaVersion
from customers.registry import infer, life, roles, usage
from customers.visibility import may_change

if TYPE_CHECKING:
    TypeForm = forms.ModelForm[EventType]
else:
    TypeForm = forms.ModelForm


class VersionInline(Versions):
    """The editions of the form so far."""

    model = SchemaVersion
    fields = ("page", "status", "created_at", "approved_at", "approved_by")
    readonly_fields = fields


class EventTypeForm(TypeForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for field, text in roles.lacking(cleaned.get("role", ""), cleaned):
            self.add_error(field, text)
        latest = life.latest(self.instance) if not self.instance._state.adding else None
        for field, _name, text in roles.unfit(latest.schema, cleaned) if latest is not None else ():
            self.add_error(field, text)
        return cleaned


@admin.register(EventType)
class EventTypeAdmin(Kept):
    form = EventTypeForm
    list_display = ("name", "brand", state("role", {}, _("role")), "judged_by", "compatibility", "further")
    list_filter = ("brand", "role")
    list_select_related = ("brand",)
    list_before_template = "admin/customers/registry/to_unplanned.html"
    search_fields = ("name", "description")
    search_help_text = _("A part of the name or description.")
    autocomplete_fields = ("brand",)
    inlines = (VersionInline,)
    readonly_fields = ("further",)
    when_empty = _("An event type says what events of a name mean and what they must look like.")
    fieldsets = (
        (None, {"fields": ("name", "brand", "description", "compatibility", "further")}),
        (
            _("What it means for numbers"),
            {
                "fields": ("role", "amount_property", "currency_property", "key_property"),
                "description": _("Reports find orders, refunds and the like by their role, and read these properties."),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: EventType | None = None) -> Any:
        # Events know their type by its name, and what sources list is remembered by it.
        return self.readonly_fields if obj is None else ("name", "brand", *self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventType]:
        rows: QuerySet[EventType] = super().get_queryset(request)
        return rows.prefetch_related("versions")

    def get_inlines(self, request: HttpRequest, obj: EventType | None) -> Any:
        return self.inlines if obj is not None else ()

    def get_urls(self) -> Any:
        unplanned = path(
            "unplanned/", self.admin_site.admin_view(self.unplanned_view), name="customers_eventtype_unplanned"
        )
        return [unplanned, *super().get_urls()]

    @admin.display(description=_("approved version"))
    def judged_by(self, event_type: EventType) -> Any:
        approved = [one for one in event_type.versions.all() if one.status == SchemaVersion.Status.APPROVED]
        if not approved:
            return badge(_("none"), "warn")
        return badge(f"v{max(one.number for one in approved)}", "good")

    def unplanned_view(self, request: HttpRequest) -> HttpResponse:
        """Names that come and have no event type; one press makes a type of it, with a draft from its newest events."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # What events say is looked into for a draft: whoever may plan in a brand may see its events.
        brands = list(Brand.objects.visible_to(request.user).values_list("pk", flat=True))
        seen = usage.unplanned(brands, clock.utcnow())
        if request.method == "POST":
            return self._plan(request, seen)
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": gettext("Unplanned events"),
            "seen": seen,
            "days": usage.DAYS,
            "may_plan": self.has_add_permission(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/customers/registry/unplanned.html", context)

    def _plan(self, request: HttpRequest, seen: list[usage.Seen]) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        told = request.POST.get("brand", ""), request.POST.get("name", "")
        chosen = next((one for one in seen if (str(one.brand_id), one.name) == told), None)
        if chosen is None:
            self.message_user(request, gettext("There are no such events any more."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:customers_eventtype_unplanned"))
        samples = [orjson.loads(one) for one in usage.samples(chosen.name, chosen.brand_id, clock.utcnow())]
        with transaction.atomic():
            type_ = EventType(brand_id=chosen.brand_id, name=chosen.name)
            type_.save()
            if not may_change(request.user, type_):
                raise PermissionDenied
            draft = SchemaVersion.objects.create(event_type=type_, number=1, schema=infer.infer(samples))
            self._write(request, "add", type_, None, {"name": type_.name})
        text = gettext("A draft was made from %(count)s events. Look it over before you propose it.")
        self.message_user(request, text % {"count": len(samples)}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:customers_schemaversion_change", args=[draft.pk]))


def _usage(page: EventTypeAdmin, request: HttpRequest, event_type: EventType) -> HttpResponse:
    made = usage.usage(event_type, clock.utcnow())
    numbers = {one.pk: one for one in event_type.versions.all()}
    rows = [
        {
            "version": numbers.get(version) if version is not None else None,
            "source": source,
            "sum": sum(counts.values()),
            "counts": [counts.get(day, 0) for day in made.days],
        }
        for (version, source), counts in made.rows.items()
    ]
    context = {"usage": made, "rows": rows, "days": usage.DAYS, "most": usage.MOST}
    return drawn(page, request, event_type, "admin/customers/registry/usage.html", _TITLE, **context)


_TITLE = pgettext_lazy("of an event type", "Usage")
add_page(EventType, ExtraPage("usage", _TITLE, _usage))
