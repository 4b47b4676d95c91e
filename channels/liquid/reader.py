"""Whom a text is for: in which language, zone and currency its numbers and dates are said, and when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

_NOWHERE: Final = "en"


@dataclass(frozen=True, slots=True)
class Reader:
    now: datetime
    locale: str = _NOWHERE
    zone: str = "UTC"
    currency: str = ""

    @property
    def speech(self) -> Locale:
        return speech(self.locale)

    @property
    def clock(self) -> ZoneInfo:
        return clock(self.zone)

    @property
    def local_now(self) -> datetime:
        return self.now.astimezone(self.clock)


@lru_cache(maxsize=256)
def speech(locale: str) -> Locale:
    """How the language formats things: pt-BR as pt_BR, what nobody knows as English."""
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale.parse(_NOWHERE)


@lru_cache(maxsize=1024)
def clock(zone: str) -> ZoneInfo:
    """A zone that is none, or none any more, is UTC."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def of(words: str, reader: str) -> str:
    """The reader's own region where the words are in their language; else the language of the words alone."""
    same = words.replace("_", "-").partition("-")[0].lower() == reader.replace("_", "-").partition("-")[0].lower()
    return reader if same and len(reader) > len(words) else words


AT_NO_TIME: Final = Reader(datetime(1970, 1, 1, tzinfo=UTC))
