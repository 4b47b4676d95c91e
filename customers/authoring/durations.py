"""Durations as authors write them, a number and a unit, and as documents keep them, in ISO 8601."""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

# Largest first; the last takes what fits no other.
_UNITS: Final[dict[str, tuple[timedelta, str]]] = {
    "days": (timedelta(days=1), "P{}D"),
    "hours": (timedelta(hours=1), "PT{}H"),
    "minutes": (timedelta(minutes=1), "PT{}M"),
    "seconds": (timedelta(seconds=1), "PT{}S"),
}
UNIT_LABELS: Final[dict[str, Promise]] = {
    "minutes": _("minutes"),
    "hours": _("hours"),
    "days": _("days"),
    "seconds": _("seconds"),
}
_IN_WORDS: Final = {
    "days": ngettext_lazy("%(count)s day", "%(count)s days", "count"),
    "hours": ngettext_lazy("%(count)s hour", "%(count)s hours", "count"),
    "minutes": ngettext_lazy("%(count)s minute", "%(count)s minutes", "count"),
    "seconds": ngettext_lazy("%(count)s second", "%(count)s seconds", "count"),
}
_NUMBER = re.compile(r"-?[0-9]{1,9}([.,][0-9]{1,6})?")
DEFAULT_UNIT: Final = "minutes"


def read(text: object) -> timedelta | None:
    """The duration of a document; None if it is none."""
    try:
        return msgspec.convert(text, timedelta) if isinstance(text, str) else None
    except msgspec.ValidationError:
        return None


def split(span: timedelta) -> tuple[str, str]:
    """(number, unit), in the largest unit of which it is a whole number."""
    for name, (unit, _iso) in _UNITS.items():
        if span and not span % unit:
            return str(span // unit), name
    return f"{Decimal(span // timedelta(microseconds=1)) / 1_000_000:f}", "seconds"


def join(number: str, unit: str) -> str | None:
    """ISO 8601 in the largest unit that fits; None if the number is none, or no duration is that long."""
    try:
        amount = Decimal(number.replace(",", ".")) if _NUMBER.fullmatch(number) else None
        if amount is None or unit not in _UNITS:
            return None
        return spell(timedelta(microseconds=int(amount * (_UNITS[unit][0] // timedelta(microseconds=1)))))
    except (InvalidOperation, OverflowError):
        return None


def spell(span: timedelta) -> str:
    number, unit = split(abs(span))
    return ("-" if span < timedelta(0) else "") + _UNITS[unit][1].format(number)


def words(text: object) -> str:
    """“30 minutes”; what is no duration, as it stands."""
    span = read(text)
    return str(text) if span is None else in_words(span)


def in_words(span: timedelta) -> str:
    number, unit = split(span)
    if number.isdigit():
        return str(_IN_WORDS[unit] % {"count": int(number)})
    return f"{number} {UNIT_LABELS[unit]}"
