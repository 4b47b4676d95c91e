"""How values look to staff: states as badges, times as people say them, documents laid out; all escaped."""

import json
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext

from customers import clock

Tone = Literal["good", "info", "warn", "bad", ""]

# Older than this, a date says more than a distance.
_RECENT: Final = timedelta(days=7)
_MOMENT: Final = timedelta(seconds=60)


def badge(text: object, tone: Tone = "") -> SafeString:
    kind = f" t-badge--{tone}" if tone else ""
    return format_html('<span class="t-badge{}">{}</span>', kind, text)


def moment(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    if at is None:
        return ""
    local = timezone.localtime(at)
    exact = date_format(local, "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, _distance(at, now or clock.utcnow())
    )


def _distance(at: datetime, now: datetime) -> str:
    away = now - at
    if abs(away) > _RECENT:
        return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    if abs(away) < _MOMENT:
        return gettext("just now") if away >= timedelta() else gettext("in a moment")
    if away > timedelta():
        return gettext("%(span)s ago") % {"span": timesince(at, now, depth=1)}
    return gettext("in %(span)s") % {"span": timesince(now, at, depth=1)}


def document(value: Any) -> SafeString | str:
    """JSON laid out, escaped; text that is none as it stands."""
    if value is None or value == "":
        return ""
    return format_html('<pre class="t-code" tabindex="0">{}</pre>', as_text(value))


def as_text(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
