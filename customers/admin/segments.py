"""Segments: what chooses people, how many there are and were, some of them, and who looks at it."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from customers import clock, personal
from customers.admin import segment_rule
from customers.admin.base import Kept, page_link, table
from customers.admin.fields import Lines
from customers.admin.presented import ExtraPage, add_page
from customers.admin.segment_chart import chart
from customers.admin.show import Tone, document, flag, moment, state, when
from customers.authoring.words import rule_words
from customers.models import Customer, IdentifierKind, Job, Segment, SegmentMembership, SegmentSize
from customers.models.owned import beside
from customers.segments import build, define, lists
from customers.segments.count import count
from customers.segments.named import find
from customers.segments.telling import coarse_words

_STATE: Final = Segment.State
_TONES: Final[dict[str, Tone]] = {
    _STATE.DRAFT: "info",
    _STATE.BUILDING: "warn",
    _STATE.STOPPED: "bad",
    _STATE.LIVE: "good",
    _STATE.ARCHIVED: "",
}
_BUILT: Final = (_STATE.BUILDING, _STATE.STOPPED, _STATE.LIVE)
# As many members as tell what kind of people they are.
_SOME: Final = 10
_DAYS: Final = 90
_PEOPLE: Final = (_("Who is on it"), {"fields": ("is_static", "named_by", "put_on", "take_off")})


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    named_by = forms.ModelChoiceField(
        IdentifierKind.objects.all(), label=_("named by"), required=False, widget=UnfoldAdminSelectWidget
    )
    put_on = Lines(label=_("put on the list"), required=False, help_text=_("Identifiers of that kind, one a line."))
    take_off = Lines(label=_("take off the list"), required=False)

    class Meta:
        model = Segment
        fields = ("brand", "squad", "key", "name", "description", "is_static")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        people = [*cleaned.get("put_on", ()), *cleaned.get("take_off", ())]
        if people and cleaned.get("named_by") is None:
            self.add_error("named_by", _("Say what they are named by."))
        if len(people) > lists.MOST_AT_ONCE:
            self.add_error("put_on", format_lazy(_("At most {most} at once."), most=lists.MOST_AT_ONCE))
        return cleaned


@admin.register(Segment)
class SegmentAdmin(Kept):
    form = SegmentForm
    list_display = (
        "name",
        "key",
        "brand",
        flag("is_static", (_("list"), "info"), (_("rule"), "")),
        "people",
        state("state", _TONES, _("state")),
        when("counted_at", _("counted")),
    )
    list_filter = ("state", "is_static", "brand", "squad")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    prepopulated_fields = {"key": ("name",)}
    when_empty = _("People with something in common, by a rule or a list. Journeys and rules then name them by a key.")
    actions = ("rebuild", "archive")
    fieldsets = (
        (None, {"fields": ("name", "key", "brand", "squad", "description")}),
        (_("Who is in it"), {"fields": ("is_static", "in_words", "written")}),
        (_("How it stands"), {"fields": ("state", "people", "progress", "built_at", "history")}),
        (_("Some of its people"), {"fields": ("members",)}),
        (_("Looked at by"), {"fields": ("used_by",)}),
        (_("Earlier rules"), {"fields": ("earlier",)}),
    )
    readonly_fields = (
        "in_words",
        "written",
        "state",
        "people",
        "progress",
        "built_at",
        "history",
        "members",
        "used_by",
        "earlier",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, *others = super().get_fieldsets(request, obj)
        if obj is None:
            return (first, (_("Who is in it"), {"fields": ("is_static",)}))
        if obj.is_static and obj.state == Segment.State.LIVE and self.has_change_permission(request, obj):
            return (first, _PEOPLE, *others[1:-1])
        return (first, *others)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = () if obj is None else ("key", "brand", "is_static")
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj is not None else super().get_prepopulated_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.is_static and not change:
            define.open_list(obj, clock.utcnow())
        elif obj.is_static and obj.state == Segment.State.LIVE:
            self._place(request, obj, form.cleaned_data)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Whoever makes a segment goes on to its rule."""
        if obj.is_static or "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("admin:customers_segment_rule", args=[obj.pk]))

    @admin.display(description=_("rule"))
    def in_words(self, segment: Segment) -> SafeString | str:
        """The rule, and the way to where it is written."""
        if segment.is_static:
            return gettext("No rule: people are put on the list.")
        address = reverse("admin:customers_segment_rule", args=[segment.pk])
        words = rule_words(segment.rule) or gettext("No rule yet: nobody is in it.")
        way = gettext("Read the rule") if segment.state == Segment.State.ARCHIVED else gettext("Write the rule")
        return format_html('<span>{}</span> <a class="t-link" href="{}">{}</a>', words, address, way)

    @admin.display(description=_("written"))
    def written(self, segment: Segment) -> str:
        last = segment.versions.select_related("made_by").first()
        if last is None:
            return ""
        values = {"number": last.number, "when": moment(last.made_at), "who": last.made_by or "–"}
        return format_html(gettext("version {number}, {when}, by {who}"), **values)

    def _place(self, request: HttpRequest, segment: Segment, given: dict[str, Any]) -> None:
        """Put those on the list, or take them off, whom the form names."""
        now = clock.utcnow()
        for name, inside in (("put_on", True), ("take_off", False)):
            if not given.get(name):
                continue
            found = find(segment.brand_id, given["named_by"].pk, given[name], now)
            placed = lists.put(segment, found.customers, now, inside=inside)
            text = ngettext("%(count)s person came or left.", "%(count)s people came or left.", placed.changed)
            self.message_user(request, text % {"count": placed.changed})
            if found.unknown:
                text = ngettext(
                    "%(count)s identifier names nobody here.", "%(count)s identifiers name nobody here.", found.unknown
                )
                self.message_user(request, text % {"count": found.unknown}, messages.WARNING)
        count(segment, now)

    @admin.display(description=_("people"), ordering="size")
    def people(self, segment: Segment) -> str:
        if _is_told_coarsely(segment):
            return coarse_words(segment.size)
        return number_format(segment.size, force_grouping=True)

    @admin.display(description=_("last build"))
    def progress(self, segment: Segment) -> SafeString | str:
        job = beside(segment, Job).filter(kind=build.KIND, arguments__segment=str(segment.pk)).first()
        if job is None:
            return ""
        done = f"{number_format(job.done, force_grouping=True)} / {number_format(job.total or 0, force_grouping=True)}"
        heads = (_("job"), _("state"), _("progress"), _("asked for at"), _("ended at"))
        row = (
            page_link("customers_job", job.pk),
            job.get_state_display(),
            done,
            moment(job.created_at),
            moment(job.ended_at),
        )
        return table(heads, [row])

    @admin.display(description=_("size by day"))
    def history(self, segment: Segment) -> SafeString | str:
        sizes = beside(segment, SegmentSize).filter(segment=segment).order_by("-day")[:_DAYS]
        return chart([(one.day, one.size) for one in reversed(sizes)])

    @admin.display(description=_("members"))
    def members(self, segment: Segment) -> SafeString | str:
        if _is_told_coarsely(segment):
            return str(Segment._meta.get_field("is_personal").help_text)
        rows = beside(segment, SegmentMembership).filter(segment=segment, left_at=None).order_by("-id")[:_SOME]
        names = {
            one.pk: _name(one.traits)
            for one in beside(segment, Customer).filter(pk__in=[row.customer_id for row in rows])
        }
        return table(
            (_("customer"), _("name"), _("in it since")),
            (
                (page_link("customers_customer", one.customer_id), names.get(one.customer_id), moment(one.entered_at))
                for one in rows
            ),
        )

    @admin.display(description=_("segments and journeys"))
    def used_by(self, segment: Segment) -> SafeString | str:
        keys = [other.pk for other in define.used_by(segment)]
        users = beside(segment, Segment).filter(pk__in=keys)
        rows = [(page_link("customers_segment", one.pk), one.key) for one in users]
        rows += [(name, "") for name in define.used_above(segment)]
        return table((_("name"), _("key")), rows)

    @admin.display(description=_("rules"))
    def earlier(self, segment: Segment) -> SafeString | str:
        versions = segment.versions.select_related("made_by")[:_SOME]
        return table(
            (_("version"), _("made at"), _("made by"), _("rule"), _("as JSON")),
            (
                (one.number, moment(one.made_at), one.made_by, rule_words(one.rule), _folded(one.rule))
                for one in versions
            ),
        )

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_segment"))

    @admin.action(description=_("Build anew: everybody is asked, and nothing is started by it"), permissions=["settle"])
    def rebuild(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = list(queryset.filter(is_static=False, state__in=_BUILT))
        for segment in chosen:
            define.rebuild(segment, clock.utcnow(), request.user)
        text = ngettext("%(count)s segment is built anew.", "%(count)s segments are built anew.", len(chosen))
        self.message_user(request, text % {"count": len(chosen)})

    @admin.action(description=_("Archive: it follows nothing any more"), permissions=["settle"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        done = 0
        for segment in queryset.exclude(state=Segment.State.ARCHIVED):
            try:
                define.archive(segment)
            except define.InUse as error:
                text = gettext("%(segment)s is looked at by %(others)s: archive or change those first.")
                values = {"segment": segment, "others": ", ".join(error.by)}
                self.message_user(request, text % values, messages.ERROR)
            else:
                done += 1
        if done:
            text = ngettext("%(count)s segment was archived.", "%(count)s segments were archived.", done)
            self.message_user(request, text % {"count": done})


def _is_told_coarsely(segment: Segment) -> bool:
    """To whom this row is shown."""
    return segment.is_personal and personal.is_veiled(segment)


def _name(traits: dict[str, Any]) -> str:
    parts = [str(traits.get(part) or "") for part in ("first_name", "last_name")]
    return " ".join(filter(None, parts)) or str(traits.get("name") or "")


def _folded(rule: Any) -> SafeString:
    return format_html('<details><summary class="t-link">{}</summary>{}</details>', _("JSON"), document(rule))


add_page(Segment, ExtraPage("rule", _("Rule"), segment_rule.page))
