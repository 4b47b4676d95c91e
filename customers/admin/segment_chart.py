"""The size of a segment over its days, drawn as a line; the numbers stand in a table beside it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.base import table

_WIDTH: Final = 600
_HEIGHT: Final = 120

_PICTURE: Final = (
    '<figure class="t-chart"><svg viewBox="-4 -4 {} {}" role="img" aria-label="{}" class="text-primary-600'
    ' dark:text-primary-400" width="100%" height="{}" preserveAspectRatio="none"><polyline fill="none"'
    ' stroke="currentColor" stroke-width="2" vector-effect="non-scaling-stroke" points="{}"></polyline></svg>'
    '<figcaption>{}</figcaption></figure><details><summary class="t-link">{}</summary>{}</details>'
)


def chart(sizes: Sequence[tuple[date, int]]) -> SafeString | str:
    """Nothing where there is but one day: a point is no history."""
    if len(sizes) < 2:
        return ""
    first, last = sizes[0], sizes[-1]
    words = gettext("From %(before)s people on %(first)s to %(now)s on %(last)s.") % {
        "before": number_format(first[1], force_grouping=True),
        "first": date_format(first[0], "SHORT_DATE_FORMAT"),
        "now": number_format(last[1], force_grouping=True),
        "last": date_format(last[0], "SHORT_DATE_FORMAT"),
    }
    rows = ((date_format(day, "SHORT_DATE_FORMAT"), number_format(size, force_grouping=True)) for day, size in sizes)
    return format_html(
        _PICTURE, _WIDTH + 8, _HEIGHT + 8, words, _HEIGHT, _points(sizes), words, _("Numbers"),
        table((_("day"), _("people")), rows),
    )  # fmt: skip


def _points(sizes: Sequence[tuple[date, int]]) -> str:
    """From nothing at the bottom to the most at the top, days by their distance."""
    begin, span = sizes[0][0], max((sizes[-1][0] - sizes[0][0]).days, 1)
    most = max(max(size for _day, size in sizes), 1)
    return " ".join(
        f"{_WIDTH * (day - begin).days / span:.1f},{_HEIGHT * (1 - size / most):.1f}" for day, size in sizes
    )
