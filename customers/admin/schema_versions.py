"""Schema versions: written as drafts, tried out, judged against the version before, approved and deprecated."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import audit, clock
from customers.accept import strict_json
from customers.accept.refusal import Refused
from customers.accept.schemas import Version, compile_schema
from customers.admin.base import Versioned
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.admin.show import Tone, as_text, badge, when
from customers.difference import differences
from customers.models import EventType, SchemaVersion
from customers.registry import life, shapes, sound, upcast
from customers.registry.example import example
from customers.registry.fault import Fault
from customers.visibility import may_change

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
_MOST_BYTES: Final = 64 * 1024
APPROVE: Final = "customers.approve_schemaversion"


class SchemaVersionForm(SchemaModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "schema" in self.fields and self.instance._state.adding:
            self.fields["schema"].initial = _SCHEMA
        if "upcast" in self.fields:
            # An empty list says that there is nothing to do.
            self.fields["upcast"].required = False

    def clean_schema(self) -> Any:
        schema = self.cleaned_data["schema"]
        _refuse(sound.faults(schema))
        return schema

    def clean_upcast(self) -> Any:
        document = self.cleaned_data.get("upcast") or []
        _refuse(upcast.read(document)[1])
        return document

    def clean(self) -> dict[str, Any] | None:
        if not self.instance._state.adding:
            try:
                life.hold_draft(self.instance)
            except life.NotDone as error:
                raise ValidationError(error.text, code="approved_meanwhile") from None
        return super().clean()


def _refuse(faults: Iterable[Fault]) -> None:
    told = [
        ValidationError(f"{fault.pointer or '/'}: {fault.message} {fault.hint}", code=fault.code) for fault in faults
    ]
    if told:
        raise ValidationError(told)


@admin.register(SchemaVersion)
class SchemaVersionAdmin(Versioned):
    """A draft may be changed, which takes its proposal back; once approved, events have been judged by it."""

    parent = "event_type"
    form = SchemaVersionForm
    list_display = (
        "__str__",
        "event_type",
        "standing",
        when("created_at", _("created")),
        when("approved_at", _("approved")),
        "further",
    )
    list_filter = ("status", "event_type__brand")
    list_select_related = ("event_type",)
    search_fields = ("event_type__name",)
    search_help_text = _("A part of the event type’s name.")
    autocomplete_fields = ("event_type",)
    readonly_fields = (
        "standing", "further", "follows", "proposed_by", "proposed_at", "approved_by", "approved_at", "deprecated_by",
        "deprecated_at",
    )  # fmt: skip
    actions = ("approve", "deprecate")
    when_empty = _("A version says what an event’s properties must look like. Approve it, and events are held to it.")
    fieldsets = (
        (None, {"fields": ("event_type", "number", "standing", "further")}),
        (_("What such an event says"), {"fields": ("schema",)}),
        (
            _("How older events are read"),
            {
                "fields": ("upcast",),
                "description": _(
                    "A list of operations on events of the version before, in order. {“op”: “rename”, “property”: “a”,"
                    " “to”: “b”} · {“op”: “default”, “property”: “a”, “value”: 0} · {“op”: “map”, “property”: “a”,"
                    " “values”: {“old”: “new”}} · {“op”: “drop”, “property”: “a”} · {“op”: “coerce”, “property”: “a”,"
                    " “to”: “integer”}. A dot leads inside. What is stored stays as it came."
                ),
            },
        ),
        (
            _("Who did what"),
            {
                "fields": (
                    "follows", "proposed_by", "proposed_at", "approved_by", "approved_at", "deprecated_by",
                    "deprecated_at",
                )
            },
        ),
    )  # fmt: skip

    @admin.display(description=_("status"), ordering="status")
    def standing(self, version: SchemaVersion) -> Any:
        if version.status == SchemaVersion.Status.DRAFT and version.proposed_at is not None:
            return badge(_("proposed"), "info")
        return badge(version.get_status_display(), _STATUS[version.status])

    def get_fieldsets(self, request: HttpRequest, obj: SchemaVersion | None = None) -> Any:
        if obj is not None:
            return self.fieldsets
        return ((None, {"fields": ("event_type",)}), *self.fieldsets[1:3])

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version begins as the latest one."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        types = EventType.objects.shown_to(request.user)
        try:
            before = life.latest(types.get(pk=initial["event_type"])) if "event_type" in initial else None
        except (EventType.DoesNotExist, ValidationError):
            return initial
        return initial if before is None else {**initial, "schema": before.schema}

    def has_change_permission(self, request: HttpRequest, obj: SchemaVersion | None = None) -> bool:
        # Not what versions allow, which is nothing, but what is allowed for any row.
        may = super(Versioned, self).has_change_permission(request, obj)
        return may and (obj is None or obj.status == SchemaVersion.Status.DRAFT)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(APPROVE))

    def save_model(self, request: HttpRequest, obj: SchemaVersion, form: Any, change: bool) -> None:
        obj.proposed_at = obj.proposed_by = None
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Approve: events are held to it"), permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[SchemaVersion]) -> None:
        self._each(request, queryset, life.approve)

    @admin.action(description=_("Deprecate: events are no longer held to it"), permissions=["approve"])
    def deprecate(self, request: HttpRequest, queryset: QuerySet[SchemaVersion]) -> None:
        self._each(request, queryset, life.deprecate)

    def _each(self, request: HttpRequest, queryset: QuerySet[SchemaVersion], step: Callable[..., Any]) -> None:
        done = 0
        for version in queryset.order_by("event_type", "number"):
            try:
                step(version, request.user, clock.utcnow())
                done += 1
            except life.NotDone as error:
                self.message_user(request, f"{version}: {error.text}", messages.WARNING)
        text = ngettext("%(count)s version was changed.", "%(count)s versions were changed.", done)
        self.message_user(request, text % {"count": done})


_STEPS: Final[dict[str, Callable[..., Any]]] = {
    "propose": life.propose,
    "approve": life.approve,
    "deprecate": life.deprecate,
}


def _review(page: SchemaVersionAdmin, request: HttpRequest, version: SchemaVersion) -> HttpResponse:
    may_write = may_change(request.user, version)
    may = {
        "propose": may_write,
        "approve": may_write and page.has_approve_permission(request),
        "deprecate": may_write and page.has_approve_permission(request),
    }
    if request.method == "POST":
        return _step(page, request, version, may)
    is_draft = version.status == SchemaVersion.Status.DRAFT
    verdict = life.judge(version) if is_draft else life.Verdict(version.follows)
    before = verdict.previous.schema if verdict.previous is not None else None
    context = {
        "version": version,
        "verdict": verdict,
        "is_draft": is_draft,
        "proposal": life.proposal(version),
        "changes": differences(before, version.schema),
        "upcast": as_text(version.upcast) if version.upcast else "",
        "standing": page.standing(version),
        "second_person": version.event_type.brand.second_person_approves,
        "may_propose": is_draft and may["propose"] and verdict.may_follow and version.proposed_at is None,
        "may_approve": is_draft and may["approve"] and verdict.may_follow and version.proposed_at is not None,
        "may_deprecate": version.status == SchemaVersion.Status.APPROVED and may["deprecate"],
    }
    return drawn(page, request, version, "admin/customers/registry/review.html", _("Review"), **context)


def _step(page: Any, request: HttpRequest, version: SchemaVersion, may: dict[str, bool]) -> HttpResponse:
    name = request.POST.get("do", "")
    if not may.get(name):
        page.note_refusal(request, [version.pk])
        raise PermissionDenied
    now = clock.utcnow()
    before = audit.picture(version)
    seen = {"seen": request.POST.get("seen", "")} if name == "approve" else {}
    try:
        _STEPS[name](version, request.user, now, **seen)
    except life.NotDone as error:
        page.message_user(request, error.text, messages.ERROR)
    else:
        version = SchemaVersion.objects.get(pk=version.pk)
        was, became = audit.changes(before, audit.picture(version))
        audit.record(request.user, name, version, was, became, now=now)
        page.message_user(
            request, gettext("Done: %(version)s is as you asked.") % {"version": version}, messages.SUCCESS
        )
    return HttpResponseRedirect(reverse("admin:customers_schemaversion_review", args=[version.pk]))


def _try(page: SchemaVersionAdmin, request: HttpRequest, version: SchemaVersion) -> HttpResponse:
    """Whether some properties fit; nothing is stored."""
    text = request.POST.get("said") if request.method == "POST" else None
    context: dict[str, Any] = {"version": version, "asked": text is not None}
    if text is None:
        made = example(version.schema)
        validator = compile_schema(version.schema)
        context["said"] = as_text(made)
        context["example_fits"] = validator is not None and validator.is_valid(made)
    else:
        context |= {"said": text, **_answer(version, text)}
    return drawn(page, request, version, "admin/customers/registry/try.html", _("Try it out"), **context)


def _answer(version: SchemaVersion, text: str) -> dict[str, Any]:
    if len(text.encode()) > _MOST_BYTES:
        return {"refusals": [{"pointer": "", "message": gettext("More than 64 KB."), "hint": ""}]}
    try:
        document = strict_json.parse(text.encode())
        if type(document.value) is not dict:
            raise Refused("wrong_type", gettext("Properties are an object."), gettext("Send a JSON object."))
        if not strict_json.is_sound(document, [document.value]):
            fault = strict_json.first_fault(strict_json.lossless(document))
            if fault is not None:
                raise Refused.of(fault)
    except Refused as error:
        return {"refusals": [error.refusal.as_error()]}
    faults = Version(version.pk, compile_schema(version.schema)).faults(document.value)
    newest = shapes.said(document.value, version.pk)
    return {
        "refusals": [fault.as_error() for fault in faults],
        "newest": as_text(newest) if not faults and newest != document.value else "",
    }


add_page(SchemaVersion, ExtraPage("review", _("Review"), _review))
add_page(SchemaVersion, ExtraPage("try", _("Try it out"), _try))
