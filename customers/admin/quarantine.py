"""Quarantine: what was refused, why, and the ways out: as it is, mended, or not at all."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import audit, clock, personal, quarantine, quarantine_jobs
from customers.accept.refusal import Refusal
from customers.admin.base import Facts
from customers.admin.show import Tone, as_text, badge, document, state, when
from customers.models import Job, QuarantinedEvent
from customers.visibility import may_change

# Reasons named in full after a replay; the rest is counted.
_NAMED: Final = 5
_REASONS: Final = 60
# Sources and reasons counted above the list.
_COUNTED: Final = 12
_STATUS: Final[dict[str, Tone]] = {
    QuarantinedEvent.Status.OPEN: "warn",
    QuarantinedEvent.Status.REPLAYED: "good",
    QuarantinedEvent.Status.DISCARDED: "",
}
# Each next code is one step down the index, however many rows have it.
_CODES: Final = """
    WITH RECURSIVE found AS (
        (SELECT code FROM customers_quarantinedevent ORDER BY code LIMIT 1)
        UNION ALL
        SELECT (SELECT q.code FROM customers_quarantinedevent q WHERE q.code > found.code ORDER BY q.code LIMIT 1)
        FROM found WHERE found.code IS NOT NULL
    )
    SELECT code FROM found WHERE code IS NOT NULL LIMIT %s
"""


class ReasonFilter(admin.SimpleListFilter):
    """The reasons there are; codes say nothing about anybody."""

    title = _("reason")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(_CODES, [_REASONS])
            return [(code, code.replace("_", " ")) for (code,) in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(code=self.value()) if self.value() else queryset


class DoorFilter(admin.SimpleListFilter):
    title = _("door")
    parameter_name = "door"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(door, door) for door in quarantine.doors()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(door=self.value()) if self.value() else queryset


class ReceivedFilter(admin.SimpleListFilter):
    title = _("received")
    parameter_name = "received"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("in the last 24 hours")), ("7", _("in the last 7 days")), ("30", _("in the last 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in quarantine_jobs.SINCE_DAYS:
            return queryset
        return queryset.filter(received_at__gte=clock.utcnow() - timedelta(days=int(self.value() or 0)))


# By erasure alone, and not by hand.
_CHOSEN: Final = [one for one in QuarantinedEvent.Reason if one is not QuarantinedEvent.Reason.ERASED]


def _discarding(reason: QuarantinedEvent.Reason) -> Any:
    @admin.action(description=format_lazy("{}: {}", _("Discard"), reason.label), permissions=["settle"])
    def discard(self: Any, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        self.discard_for(reason, request, queryset)

    discard.__name__ = "discard" if reason is QuarantinedEvent.Reason.UNWANTED else f"discard_{reason.value}"
    return discard


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(Facts):
    change_form_template = "admin/customers/quarantine.html"
    list_display = (
        "reason_code",
        "name",
        "source",
        "pointer",
        when("received_at", _("received")),
        state("status", _STATUS, _("status")),
    )
    list_filter = ("status", ReasonFilter, "source", DoorFilter, ReceivedFilter)
    list_select_related = ("source",)
    list_before_template = "admin/customers/quarantine_counts.html"
    search_fields = ("id", "code", "name", "message_id")
    search_help_text = _("A whole reason code, event name, message id or id; or whom it names: an e-mail, a user id.")
    actions = ("replay", *map(_discarding, _CHOSEN))
    when_empty = _("Nothing was refused. What a door refuses is kept here with its reason, to be mended and replayed.")
    fieldsets = (
        (
            None,
            {"fields": ("reason_code", "where", "detail", "status", "settled_at", "reason", "last_code", "tried_at")},
        ),
        (
            _("What came"),
            {"fields": ("name", "source", "door", "from_page", "message_id", "received_at", "as_it_came")},
        ),
    )
    readonly_fields = ("reason_code", "where", "as_it_came")

    @admin.display(description=_("reason"), ordering="code")
    def reason_code(self, event: QuarantinedEvent) -> SafeString:
        return badge(event.code.replace("_", " "), "bad")

    @admin.display(description=_("where"))
    def where(self, event: QuarantinedEvent) -> str:
        return event.pointer or gettext("the whole item")

    @admin.display(description=_("as it came"))
    def as_it_came(self, event: QuarantinedEvent) -> SafeString | str:
        return document(event.raw)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_quarantinedevent"))

    def get_urls(self) -> Any:
        mend = path(
            "<int:pk>/mend/", self.admin_site.admin_view(self.mend_view), name="customers_quarantinedevent_mend"
        )
        return [mend, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        row = self.get_object(request, object_id)
        if row is not None and self._may_settle(request, row):
            extra_context = {"mendable": as_text(row.raw), "row": row, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def mend_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replay one item, as it stands in the form; what was refused stays as it came."""
        row = self.get_object(request, str(pk))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if request.method != "POST" or not self._may_settle(request, row):
            raise PermissionDenied
        raw = request.POST.get("raw", "")
        refusal = quarantine.replay_mended(row.pk, raw, clock.utcnow())
        if refusal is None:
            audit.record(request.user, "replay_mended", row, None, {"status": "replayed"}, now=clock.utcnow())
            self.message_user(request, gettext("It was accepted and is on its way."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:customers_quarantinedevent_changelist"))
        context = {"mendable": raw, "row": row, "refusal": refusal}
        answer = super().change_view(_as_get(request), str(pk), extra_context=context)
        if isinstance(answer, TemplateResponse):
            answer.status_code = 422
        return answer

    def _may_settle(self, request: HttpRequest, row: QuarantinedEvent) -> bool:
        if row.status != QuarantinedEvent.Status.OPEN or not self.has_settle_permission(request):
            return False
        return not personal.is_masked(row) and may_change(request.user, row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = quarantine.found_by(search_term, QuarantinedEvent.objects.visible_to(request.user), request.user)
        return queryset.filter(pk__in=found.order_by().values("pk")), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"waiting": self._waiting(request), **(extra_context or {})})

    def _waiting(self, request: HttpRequest) -> list[tuple[dict[str, Any], str]]:
        """What lies open by source and reason, most first, each with the list of it."""
        rows = QuarantinedEvent.objects.visible_to(request.user).filter(status=QuarantinedEvent.Status.OPEN)
        counted = rows.order_by().values("source_id", "source__name", "code").annotate(count=Count("pk"))
        listed = reverse("admin:customers_quarantinedevent_changelist")

        def rows_of(one: dict[str, Any]) -> str:
            asked = {"status__exact": "open", "source__id__exact": one["source_id"], "code": one["code"]}
            return f"{listed}?{urlencode(asked)}"

        return [(one, rows_of(one)) for one in counted.order_by("-count", "source__name", "code")[:_COUNTED]]

    @admin.action(description=_("Replay: send through acceptance again"), permissions=["settle"])
    def replay(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        if request.POST.get("select_across") == "1":
            self._ask(request, quarantine_jobs.ask_to_replay)
            return
        result = quarantine.replay(list(queryset.values_list("pk", flat=True)), clock.utcnow())
        text = ngettext("%(count)s event was accepted.", "%(count)s events were accepted.", result.replayed)
        self.message_user(request, text % {"count": result.replayed})
        for pk, refusal in list(result.refusals.items())[:_NAMED]:
            self.message_user(request, _stays(pk, refusal), messages.WARNING)
        left = len(result.refusals) - _NAMED
        if left > 0:
            text = ngettext("%(count)s more stays.", "%(count)s more stay.", left)
            self.message_user(request, text % {"count": left}, messages.WARNING)

    def discard_for(
        self, reason: QuarantinedEvent.Reason, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]
    ) -> None:
        if request.POST.get("select_across") == "1":
            self._ask(request, lambda which, user, now: quarantine_jobs.ask_to_discard(which, reason, user, now))
            return
        count = quarantine.discard(queryset, reason, clock.utcnow())
        text = ngettext("%(count)s event was discarded.", "%(count)s events were discarded.", count)
        self.message_user(request, text % {"count": count})

    def _ask(self, request: HttpRequest, ask: Callable[[quarantine_jobs.Chosen, Any, datetime], Job]) -> None:
        """All that the filter shows may be many: a job does it, and tells how far it is."""
        now = clock.utcnow()
        which = quarantine_jobs.chosen(request.GET.dict(), now)
        if which is None:
            self.message_user(request, gettext("Nothing was done: choose rows one by one here."), messages.ERROR)
            return
        job = ask(which, request.user, now)
        text = gettext("It is being done in the background. How far it is:")
        address = reverse("admin:customers_job_change", args=[job.pk])
        link = format_html('{} <a class="t-link" href="{}">{}</a>', text, address, gettext("the job"))
        self.message_user(request, link)


def _stays(pk: int, refusal: Refusal) -> str:
    values = {"id": pk, "code": refusal.code, "message": refusal.message}
    text = gettext("%(id)s stays: %(code)s. %(message)s") % values
    where = f" ({refusal.pointer})" if refusal.pointer else ""
    return f"{text}{where} {refusal.hint}".rstrip()


def _as_get(request: HttpRequest) -> HttpRequest:
    request.method = "GET"
    return request
