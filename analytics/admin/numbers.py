"""How numbers are shown: bars by day or hour, and spans of time."""

from datetime import timedelta
from typing import Final

from django.utils import formats
from django.utils.translation import gettext as _

# Options of Chart.js for bars upon each other.
BARS: Final = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": True, "position": "top", "align": "end", "labels": {"color": "#808896"}}},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": "#808896"}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0, "color": "#808896"}},
    },
}


def span(span: timedelta | None) -> str:
    """As long as a person needs it: milliseconds below a minute, then minutes, hours and days."""
    if span is None:
        return "–"
    seconds = span.total_seconds()
    for size, unit in ((86_400, _("%s d")), (3_600, _("%s h")), (60, _("%s min"))):
        if abs(seconds) >= size:
            return unit % formats.number_format(seconds / size, decimal_pos=1)
    return _("%s s") % formats.number_format(seconds, decimal_pos=3)
