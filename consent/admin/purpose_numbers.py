"""The numbers of a purpose as its page shows them."""

from typing import Any, Final

from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.models import Method, Purpose
from consent.numbers import SOON, Standing, standing
from customers import clock
from customers.admin.base import table

# As many days as are read at a glance.
_AT_ONCE: Final = 14


def in_force(purpose: Purpose) -> SafeString | str:
    """What people say now; one may have several consents, at several addresses."""
    found = numbers_of(purpose)
    rows = (
        (_("granted"), found.granted),
        (gettext("of these, ending within %(days)s days") % {"days": SOON.days}, found.expiring),
        (_("withdrawn or refused"), found.withdrawn),
        (_("no longer valid"), found.expired),
        (_("asked and not answered"), found.asked),
    )
    return table((_("what was said last"), _("consents")), ((name, _number(count)) for name, count in rows))


def whence(purpose: Purpose) -> SafeString | str:
    methods = dict(Method.choices)
    rows = [
        (
            one.source or gettext("no source"),
            methods.get(one.method, one.method),
            *map(_number, (one.granted, one.withdrawn, one.unshown)),
        )
        for one in numbers_of(purpose).whence
    ]
    if not rows:
        return gettext("Nobody answered meanwhile.")
    return table((_("source"), _("method"), _("granted"), _("withdrawn"), _("without a notice")), rows)


def days(purpose: Purpose) -> SafeString | str:
    """A bar for each day on which anything was said, and the numbers beside it."""
    found = numbers_of(purpose).days
    if not found:
        return ""
    most = max(max(granted, withdrawn) for _day, granted, withdrawn in found)
    rows = [
        (
            date_format(day, "SHORT_DATE_FORMAT"),
            _bar(granted, most, _("granted")),
            _bar(withdrawn, most, _("withdrawn")),
        )
        for day, granted, withdrawn in reversed(found)
    ]
    heads = (_("day"), _("granted"), _("withdrawn"))
    shown = table(heads, rows[:_AT_ONCE])
    if len(rows) <= _AT_ONCE:
        return shown
    before = '{}<details><summary class="t-link">{}</summary>{}</details>'
    return format_html(before, shown, gettext("The days before"), table(heads, rows[_AT_ONCE:]))


def numbers_of(purpose: Purpose) -> Standing:
    """Counted once for a page."""
    kept: Any = purpose.__dict__.get("_standing")
    if kept is None:
        kept = purpose.__dict__["_standing"] = standing(purpose, clock.utcnow())
    found: Standing = kept
    return found


def _bar(count: int, most: int, label: Any) -> SafeString:
    words = _number(count)
    return format_html(
        '<meter max="{}" value="{}" aria-label="{}">{}</meter> {}', max(most, 1), count, label, words, words
    )


def _number(count: int) -> str:
    return str(number_format(count, force_grouping=True))
