"""What can be done to a value on its way: one struct each, a pure function from value to value."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from customers.money import minor_digits

MAX_TEXT: Final = 10_000
NUMBER_LIMIT: Final = 10**15
MAX_DIGITS: Final = 17
ISO: Final = "iso"
EPOCHS: Final = {"epoch_seconds": 1, "epoch_milliseconds": 1000}
# No directive here depends on the locale that the process happens to run in.
_DIRECTIVES: Final = frozenset("YymdHIMSfzp%")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_DIGITS = re.compile(r"[+-]?[0-9]+")


class StepFailed(Exception):
    """The value is not what the step takes; carries the code."""


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="do", tag=str.lower):
    def faults(self) -> Iterator[tuple[str, str]]:
        """(code, field) of what is wrong with the step itself."""
        return iter(())

    def paths(self) -> Iterator[tuple[str, str]]:
        """(path, field) of what else of the document it looks at."""
        return iter(())

    def at(self, find: Callable[[str], Any]) -> "Step":
        """The step as it is for the document at hand; `find` tells what is at a path of it."""
        return self

    def apply(self, value: Any) -> Any:
        """What becomes of the value, or StepFailed. Said by each step: a struct cannot be an abstract class."""
        # Every step that can be named overrides it; a msgspec struct takes no ABCMeta, which would say so earlier.
        raise NotImplementedError


class Trim(Step, frozen=True):
    """Without white space at both ends."""

    def apply(self, value: Any) -> Any:
        return _text(value).strip()


class Lower(Step, frozen=True):
    def apply(self, value: Any) -> Any:
        return _text(value).lower()


class Upper(Step, frozen=True):
    def apply(self, value: Any) -> Any:
        return _text(value).upper()


class Text(Step, frozen=True):
    """A number or a yes or no as text, as JSON writes it."""

    def apply(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        return _text(value)


class Surround(Step, frozen=True):
    """Text put before and after."""

    before: str = ""
    after: str = ""

    def apply(self, value: Any) -> Any:
        return f"{self.before}{_text(value)}{self.after}"


class Number(Step, frozen=True):
    """Text written with these signs as a number; `shift` moves its point to the right, as for cents.

    `currency` is the path of a currency in whose smaller unit it is said; where there is none, `shift` holds.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    shift: int = 0
    currency: str = ""
    whole: bool = False

    most_shift: ClassVar[int] = 9

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.decimal == self.thousands:
            yield "same_separators", "thousands"
        if abs(self.shift) > self.most_shift:
            yield "number_out_of_range", "shift"

    def paths(self) -> Iterator[tuple[str, str]]:
        if self.currency:
            yield self.currency, "currency"

    def at(self, find: Callable[[str], Any]) -> Step:
        told = find(self.currency) if self.currency else None
        if not isinstance(told, str) or not told.strip():
            return self
        return structs.replace(self, shift=minor_digits(told))

    def apply(self, value: Any) -> Any:
        number = self._read(value)
        if abs(number) >= NUMBER_LIMIT or len(number.normalize().as_tuple().digits) > MAX_DIGITS:
            raise StepFailed("number_out_of_range")
        number = number.scaleb(self.shift)
        if number == number.to_integral_value():
            if abs(number) >= NUMBER_LIMIT:
                raise StepFailed("number_out_of_range")
            return int(number)
        if self.whole:
            raise StepFailed("not_whole")
        return float(number)

    def _read(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise StepFailed("not_a_number")
        text = value.strip() if isinstance(value, str) else repr(value)
        if len(text) > 64:
            raise StepFailed("not_a_number")
        if isinstance(value, str):
            text = self._plain(text)
        if not _NUMBER.fullmatch(text):
            raise StepFailed("not_a_number")
        return Decimal(text)

    def _plain(self, text: str) -> str:
        """The number with a point and nothing between its thousands."""
        whole, point, fraction = text.partition(self.decimal)
        if self.thousands and self.thousands in whole:
            # Groups of three, or it was not a sign for thousands: 1,5 is not 15.
            first, *groups = whole.split(self.thousands)
            if not 1 <= len(first.lstrip("+-")) <= 3 or any(len(group) != 3 for group in groups):
                raise StepFailed("not_a_number")
            whole = first + "".join(groups)
        if self.decimal != "." and "." in whole + fraction:
            raise StepFailed("not_a_number")
        return f"{whole}.{fraction}" if point else whole


class Boolean(Step, frozen=True):
    """Words for yes and no, in any case."""

    true: tuple[str, ...] = ("true", "yes", "1", "sim")
    false: tuple[str, ...] = ("false", "no", "0", "não", "nao")

    def apply(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower() if isinstance(value, str | int) else ""
        if word in (one.lower() for one in self.true):
            return True
        if word in (one.lower() for one in self.false):
            return False
        raise StepFailed("not_a_boolean")


class Time(Step, frozen=True):
    """A moment in a declared format, as ISO 8601 in UTC; `zone` holds where the text tells no offset."""

    format: str = ISO
    zone: str = ""

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.zone and zone_named(self.zone) is None:
            yield "unknown_zone", "zone"
        if self.format in EPOCHS or self.format == ISO:
            return
        letters = re.findall(r"%(.?)", self.format)
        if len(self.format) > 64 or not letters or not set(letters) <= _DIRECTIVES or len(letters) != len(set(letters)):
            yield "invalid_format", "format"
        elif not self.zone and "z" not in letters:
            yield "zone_missing", "zone"

    def apply(self, value: Any) -> Any:
        try:
            moment = self._epoch(value) if self.format in EPOCHS else self._told(_text(value).strip())
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError):
            raise StepFailed("not_a_time") from None

    def _epoch(self, value: Any) -> datetime:
        if isinstance(value, str) and _DIGITS.fullmatch(value.strip()) and len(value) <= 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StepFailed("not_a_time")
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value / EPOCHS[self.format])

    def _told(self, text: str) -> datetime:
        if len(text) > 64:
            raise StepFailed("not_a_time")
        # A date alone is its midnight.
        moment = datetime.fromisoformat(text) if self.format == ISO else datetime.strptime(text, self.format)  # noqa: DTZ007
        if moment.tzinfo is not None:
            return moment
        zone = zone_named(self.zone)
        if zone is None:
            raise StepFailed("not_a_time")
        moment = moment.replace(tzinfo=zone)
        # An hour that the clocks leapt over never was; of one that came twice the first is taken.
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
            raise StepFailed("not_a_time")
        return moment


class Choose(Step, frozen=True):
    """A value from a table; `otherwise` for what is not in it, which without one is an error."""

    table: dict[str, Any]
    otherwise: Any = None

    def apply(self, value: Any) -> Any:
        word = Text().apply(value)
        if word in self.table:
            return self.table[word]
        if self.otherwise is None:
            raise StepFailed("not_in_table")
        return self.otherwise


Plain = Literal["trim", "lower", "upper", "text", "number", "boolean", "time"]
AnyStep = Trim | Lower | Upper | Text | Surround | Number | Boolean | Time | Choose | Plain
_PLAIN: Final[dict[str, Step]] = {
    "trim": Trim(),
    "lower": Lower(),
    "upper": Upper(),
    "text": Text(),
    "number": Number(),
    "boolean": Boolean(),
    "time": Time(),
}


def step_of(step: Step | str) -> Step:
    """A step that was written as its name alone does what it does without being told more."""
    return _PLAIN[step] if isinstance(step, str) else step


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise StepFailed("not_text")
    if len(value) > MAX_TEXT:
        raise StepFailed("text_too_long")
    return value
