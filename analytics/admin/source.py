"""A source's health: what it sends, what of it is refused, how late it is, and what is wrong with its events."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from analytics.admin.numbers import BARS, span
from analytics.metrics import event_quality, reject_rate, source_latency, source_silence
from analytics.metrics.event_quality import EventQuality
from analytics.metrics.source_latency import Latency
from analytics.source_health import Bar, NamedHealth, source_health
from customers import clock
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.models import Source

DAYS: Final = (1, 7, 28)
_DEFAULT: Final = 7
_MINUTE: Final = timedelta(minutes=1)


def page(admin: Any, request: HttpRequest, source: Source) -> HttpResponse:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else _DEFAULT
    now = clock.utcnow()
    health = source_health(source, days, now)
    bars = [(bar, _moment(bar, source.brand.zone, days)) for bar in health.bars]
    return drawn(
        admin, request, source, "admin/analytics/source.html",
        _("Health of %(source)s") % {"source": source.name},
        source=source,
        health=health,
        now=now,
        percent=health.rate.percent,
        too_many=health.rate.is_above(source.rejects_above),
        periods=[(each, _period(each), each == days) for each in DAYS],
        bars=bars,
        chart_data=json.dumps(_chart(bars)),
        chart_options=json.dumps(BARS),
        refusals=[(code, count, _quarantine(request, source, code)) for code, count in health.refusals],
        latency=[(_("on its way to us"), *_spans(health.delay)), (_("waiting for us"), *_spans(health.wait))],
        usual=_usual(health.silence.limit),
        names=[(one, _faults(one)) for one in health.names],
        definitions={
            "rate": reject_rate.DEFINITION,
            "silence": source_silence.DEFINITION,
            "latency": source_latency.DEFINITION,
            "quality": event_quality.DEFINITION,
        },
    )  # fmt: skip


def _period(days: int) -> str:
    if days == 1:
        return _("last 24 hours")
    return ngettext("last %(days)s day", "last %(days)s days", days) % {"days": days}


def _moment(bar: Bar, zone: str, days: int) -> str:
    at = bar.begin.astimezone(ZoneInfo(zone))
    return formats.time_format(at, "TIME_FORMAT") if days == 1 else formats.date_format(at, "SHORT_DATE_FORMAT")


def _chart(bars: Sequence[tuple[Bar, str]]) -> dict[str, Any]:
    series = (
        (pgettext("tally", "accepted"), "accepted", "var(--color-primary-600)"),
        (pgettext("tally", "repeated"), "repeated", "var(--color-base-400)"),
        (pgettext("tally", "refused"), "refused", "var(--t-warn)"),
    )
    return {
        "labels": [label for _bar, label in bars],
        "datasets": [
            {
                "label": label,
                "data": [getattr(bar.rate, name) for bar, _label in bars],
                "stack": "sent",
                "backgroundColor": colour,
                "maxBarThickness": 28,
            }
            for label, name, colour in series
        ],
    }


def _quarantine(request: HttpRequest, source: Source, code: str) -> str:
    """Where what was refused by this code lies; what tells of the erased lies nowhere."""
    if not request.user.has_perm("customers.view_quarantinedevent") or code == "erased_subject":
        return ""
    asked = {"source__id__exact": source.pk, "code": code}
    return f"{reverse('admin:customers_quarantinedevent_changelist')}?{urlencode(asked)}"


def _spans(of: Latency) -> tuple[int, str, str]:
    return of.messages, _at_most(of.half, of.messages), _at_most(of.most, of.messages)


def _at_most(limit: timedelta | None, messages: int) -> str:
    if limit is not None:
        # The limits are round.
        return f"≤ {span(limit)}" if limit >= _MINUTE else _("≤ %s s") % formats.number_format(limit.total_seconds())
    return f"> {span(source_latency.LONGEST)}" if messages else "–"


def _usual(limit: timedelta | None) -> str:
    if limit is None:
        return _("too little is known to say what is usual")
    return _("counts as silent after %(span)s") % {"span": span(limit)}


def _faults(one: NamedHealth) -> list[str]:
    found = [_("nothing for longer than usual")] if one.silence.is_silent else []
    return found + _of_properties(one.quality)


def _of_properties(quality: EventQuality) -> list[str]:
    words = {
        "missing": _("%(name)s: missing in %(count)s of %(all)s"),
        "other_type": _("%(name)s: of another type in %(count)s of %(all)s"),
        "far_out": _("%(name)s: far out in %(count)s of %(all)s"),
    }
    return [
        text % {"name": each.name, "count": count, "all": quality.sampled}
        for each in quality.properties
        for fault, text in words.items()
        if (count := getattr(each, fault))
    ]


add_page(Source, ExtraPage("health", gettext_lazy("Health"), page))
