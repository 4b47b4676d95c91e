"""A journey's numbers: who came, what became of them, and how long it took; each beside its definition."""

import json
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from analytics.admin.numbers import BARS, span
from analytics.journey_numbers import JourneyNumbers, journey_numbers
from analytics.metrics import branches
from analytics.metrics.entries_by_day import EntriesByDay, entries_by_day
from analytics.metrics.equation import Part
from analytics.metrics.period import Period
from customers import clock
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.models import DeadLetter
from journeys.engine.calls.answers import QUEUE
from journeys.models import Call, Journey

DAYS: Final = (1, 7, 30, 90)
_DEFAULT = 7
# What is read from the history of runs is read of so many: enough for a percentile, quick for a page.
MOST_RUNS: Final = 2_000


def page(admin: Any, request: HttpRequest, journey: Journey) -> HttpResponse:
    days = _days(request)
    now = clock.utcnow()
    whole = Period(since=now - timedelta(days=days))
    entries = entries_by_day(journey.pk, whole, journey.brand.zone)
    numbers = journey_numbers(journey.pk, Period(since=whole.since, most=MOST_RUNS))
    entered = entries.total("entered")
    return drawn(
        admin, request, journey, "admin/analytics/journey.html",
        _("Numbers of %(journey)s") % {"journey": journey.name},
        journey=journey,
        numbers=numbers,
        entries=entries,
        totals=[(label, entries.total(name)) for label, name in _totals()],
        chart_data=json.dumps(_chart(entries)),
        chart_options=json.dumps(BARS),
        periods=[(each, _period(each), each == days) for each in DAYS],
        sampled=MOST_RUNS if entered > MOST_RUNS else 0,
        entered=entered,
        latency=_latency(numbers),
        stays=[(stay, span(stay.p75)) for stay in numbers.stays.states],
        holds=[(hold, None if hold.share is None else hold.share * 100) for hold in numbers.holds.holds],
        sums=[(one, _shares(one.parts, one.total)) for one in numbers.sums],
        branches=[(one, _shares(one.parts, one.total)) for one in numbers.branches],
        branch_definition=branches.DEFINITION,
        lists=[*_lists(journey, numbers), *_calls(request, journey, numbers)],
    )  # fmt: skip


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, DAYS) else _DEFAULT


def _period(days: int) -> str:
    return ngettext("last %(days)s day", "last %(days)s days", days) % {"days": days}


def _totals() -> tuple[tuple[str, str], ...]:
    return (
        (pgettext("count", "entered"), "entered"),
        (_("of them live"), "live"),
        (_("of them completed"), "completed"),
        (_("ended otherwise"), "otherwise"),
        (pgettext("count", "refused"), "refused"),
    )


def _chart(entries: EntriesByDay) -> dict[str, Any]:
    """What Chart.js wants: a bar of those who entered, by what became of them, and one of those refused."""
    series = (
        (pgettext("count", "completed"), "completed", "entered", "var(--color-primary-600)"),
        (_("live"), "live", "entered", "var(--color-primary-300)"),
        (_("ended otherwise"), "otherwise", "entered", "var(--color-base-400)"),
        (pgettext("count", "refused"), "refused", "refused", "var(--t-warn)"),
    )
    return {
        "labels": [formats.date_format(day.day, "SHORT_DATE_FORMAT") for day in entries.days],
        "datasets": [
            {
                "label": label,
                "data": [getattr(day, name) for day in entries.days],
                "stack": stack,
                "backgroundColor": colour,
                "maxBarThickness": 28,
            }
            for label, name, stack, colour in series
        ],
    }


def _shares(parts: Any, total: int) -> list[tuple[Any, float | None]]:
    return [(part, part.count / total * 100 if total else None) for part in parts]


def _latency(numbers: JourneyNumbers) -> list[tuple[str, str]]:
    latency = numbers.latency
    return [
        (_("since it occurred"), span(latency.occurred_to_decided)),
        (_("since we received it"), span(latency.received_to_decided)),
    ]


def _lists(journey: Journey, numbers: JourneyNumbers) -> list[tuple[Any, list[tuple[Any, str]]]]:
    """What went otherwise, each count with the list of what it counts where there is one."""
    messages = reverse("admin:channels_message_changelist")
    not_sent = [
        (part, f"{messages}?{urlencode({'scope': journey.pk, 'outcome': 'not_sent', 'reason__exact': part.key})}")
        for part in numbers.not_sent.by_reason
    ]
    return [
        (numbers.endings, [(part, "") for part in numbers.endings.parts]),
        (numbers.refused, [(part, "") for part in numbers.refused.by_reason]),
        (numbers.not_sent, not_sent),
        (numbers.errors, [(part, "") for part in numbers.errors.by_kind]),
    ]


def _calls(request: HttpRequest, journey: Journey, numbers: JourneyNumbers) -> list[tuple[Any, list[tuple[Any, str]]]]:
    """Of a journey that has asked other systems, how that went; with what lies among dead letters, for those who may
    look at them."""
    if not numbers.calls.by_outcome:
        return []
    calls = reverse("admin:journeys_call_changelist")
    parts = []
    for part in numbers.calls.by_outcome:
        state, _sign, error = part.key.partition("_")
        chosen = {"state__exact": state} | ({"error": error} if error else {})
        query = {"journey__id__exact": journey.pk} | chosen
        parts.append((part, f"{calls}?{urlencode(query)}" if request.user.has_perm("journeys.view_call") else ""))
    return [(numbers.calls, parts + _letters(request, journey, numbers))]


def _letters(request: HttpRequest, journey: Journey, numbers: JourneyNumbers) -> list[tuple[Any, str]]:
    if not request.user.has_perm("customers.view_deadletter"):
        return []
    failed = Call.objects.filter(journey=journey, state=Call.State.FAILED, created_at__gte=numbers.period.since)
    lying = DeadLetter.objects.visible_to(request.user).filter(
        queue=QUEUE, replayed_at=None, unit_id__in=failed.values("pk")
    )
    count = lying.count()
    if not count:
        return []
    query = urlencode({"queue": QUEUE, "replayed_at__isempty": "1"})
    url = f"{reverse('admin:customers_deadletter_changelist')}?{query}"
    return [(Part("letters", _("of them among dead letters, to be replayed"), count), url)]


add_page(Journey, ExtraPage("numbers", gettext_lazy("Numbers"), page))
