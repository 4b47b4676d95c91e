"""Money, dates, times, numbers and plurals as the reader's language says them (CLDR, by Babel)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal, is_currency
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import Undefined

from channels.images.addresses import NAME, address_of
from channels.liquid.amounts import currency_of
from channels.liquid.reader import speech
from customers.money import in_major_units

_WHOLE: Final = re.compile(r"-?\d{1,18}")
_NUMBER: Final = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
_LONGEST_MOMENT: Final = 40
# Seconds since 1970 up to the year 5138; what is more are milliseconds.
_MOST_SECONDS: Final = 10**11
_LENGTHS: Final = frozenset({"short", "medium", "long", "full"})
_FORMS: Final = frozenset({"zero", "two", "few", "many"})
_DIRECTIVE: Final = re.compile(r"%(-?[a-zA-Z])")
_LONGEST_FORMAT: Final = 100
_PATTERNS: Final[Mapping[str, str]] = {
    "A": "EEEE", "a": "EEE", "B": "MMMM", "b": "MMM", "d": "dd", "-d": "d", "e": "d", "H": "HH", "-H": "H",
    "I": "hh", "-I": "h", "j": "DDD", "M": "mm", "m": "MM", "-m": "M", "p": "a", "S": "ss", "Y": "y", "y": "yy",
    "Z": "z", "z": "xx",
}  # fmt: skip


class SayingError(FilterArgumentError):
    """Says nothing of the value: what is wrong is shown where people look who may not see it."""


def _fault(said: str) -> SayingError:
    return SayingError(said, token=None)


@with_context
def money(amount: Any, currency: Any = None, *, locale: Any = None, context: Any) -> Any:
    """`{{ event.total | money }}`: whole minor units, as events tell money (cents), in the currency that is named,
    else told with the amount, else the brand's. What tells an amount or a price and its currency may stand for it."""
    if _is_missing(amount):
        return amount
    code = str(currency or currency_of(amount) or context.reader.currency).upper()
    whole = _whole(amount.get("amount", amount.get("price")) if isinstance(amount, Mapping) else amount)
    if not is_currency(code):
        raise _fault("money: no currency, or two")
    try:
        # Not rounded to the coins in use: a price is said as it is.
        language, major = _speech(locale, context), in_major_units(whole, code)
        return format_currency(major, code, locale=language, decimal_quantization=False)
    except UnknownCurrencyError:
        raise _fault("money: no currency, or two") from None


@with_context
def number(value: Any, *, locale: Any = None, context: Any) -> Any:
    """`{{ 1234.5 | number }}`: 1.234,5 where one writes so."""
    return value if _is_missing(value) else format_decimal(_decimal(value), locale=_speech(locale, context))


@with_context
def plural(count: Any, one: Any, other: Any, *, locale: Any = None, context: Any, **forms: Any) -> Any:
    """`{{ n | plural: '# item', '# items' }}`: the form that the language has for so many, its # the number."""
    if _is_missing(count):
        return count
    if not _FORMS.issuperset(forms):
        raise _fault("plural: no such form")
    language = _speech(locale, context)
    value = _decimal(count)
    chosen = {**forms, "one": one}.get(language.plural_form(value), other)
    return chosen.replace("#", format_decimal(value, locale=language)) if isinstance(chosen, str) else chosen


@with_context
def date_filter(moment: Any, form: Any = "medium", *, locale: Any = None, context: Any) -> Any:
    """`{{ event.at | date: 'long' }}`, or by signs as '%d/%m/%Y': the day it is then where the reader is."""
    return _say(moment, form, locale, context, format_date)


@with_context
def time_filter(moment: Any, form: Any = "short", *, locale: Any = None, context: Any) -> Any:
    return _say(moment, form, locale, context, format_time)


def _say(moment: Any, form: Any, locale: Any, context: Any, by_length: Callable[..., str]) -> Any:
    if _is_missing(moment):
        return moment
    at, language, form = _moment(moment, context), _speech(locale, context), str(form)
    if form in _LENGTHS:
        if by_length is format_time and not isinstance(at, datetime):
            raise _fault("time: a day has none")
        return by_length(at, form, locale=language)
    pattern = _pattern(form)
    return format_datetime(
        at if isinstance(at, datetime) else datetime.combine(at, time(), UTC), pattern, locale=language
    )


def _pattern(form: str) -> str:
    """%d/%m/%Y → dd'/'MM'/'y: a format's words are not its letters."""
    if not form or len(form) > _LONGEST_FORMAT:
        raise _fault("date: no such format")
    parts = _DIRECTIVE.split(form.replace("%%", "\0"))
    words = parts[::2]
    if not _PATTERNS.keys() >= set(parts[1::2]) or any("%" in word for word in words):
        raise _fault("date: no such format")
    quoted = ["'" + word.replace("'", "''").replace("\0", "%") + "'" if word else "" for word in words]
    known = [_PATTERNS[part] for part in parts[1::2]]
    return "".join(one for pair in zip(quoted, [*known, ""], strict=True) for one in pair)


def _moment(value: Any, context: Any) -> datetime | date:
    """As the reader's clock shows it; a day stays that day wherever they are."""
    zone = context.reader.clock
    if isinstance(value, bool):
        raise _fault("date: no date")
    if value in ("now", "today"):
        return context.reader.local_now  # type: ignore[no-any-return]
    if isinstance(value, datetime):
        return _aware(value).astimezone(zone)
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and not value.isdecimal():
            return _read(value, zone)
        if (day := _day(str(value))) is not None:
            return day
        seconds = int(value)
        if abs(seconds) >= _MOST_SECONDS:
            seconds //= 1000
        return datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError, TypeError):
        raise _fault("date: no date") from None


def _day(digits: str) -> date | None:
    """20260302: as seconds it would be a day of 1970, which nobody tells so."""
    if len(digits) != len("20260302") or not digits.isdecimal():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _read(value: str, zone: Any) -> datetime | date:
    if len(value) > _LONGEST_MOMENT:
        raise ValueError("too long")
    if len(value) == len("2026-03-02"):
        return date.fromisoformat(value)
    return _aware(datetime.fromisoformat(value)).astimezone(zone)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _whole(amount: Any) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | str) or not _WHOLE.fullmatch(str(amount)):
        raise _fault("money: whole minor units, such as cents")
    return int(amount)


def _decimal(value: Any) -> Decimal:
    # What was divided has more places than are ever said.
    said = f"{value:.9f}" if isinstance(value, float) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(said):
        raise _fault("no number")
    exact = Decimal(said)
    # 1.0 is said as 1, and takes the word of one.
    return Decimal(int(exact)) if exact == int(exact) else exact.normalize()


def _is_missing(value: Any) -> bool:
    """A hole stays one: the message is not made, or `default` fills it. By its type: asking it more is reading it."""
    return issubclass(type(value), Undefined)


def _speech(locale: Any, context: Any) -> Locale:
    return context.reader.speech if locale is None else speech(str(locale))


def image_url(file: Any) -> Any:
    """`{{ 'logo' | image_url }}`: where it is fetched; its key was made its file's name as the words were saved."""
    if not isinstance(file, str) or not NAME.fullmatch(file):
        raise _fault("image_url: no image of the library")
    return address_of(file)


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "money": money,
    "number": number,
    "plural": plural,
    "date": date_filter,
    "time": time_filter,
    "image_url": image_url,
}
