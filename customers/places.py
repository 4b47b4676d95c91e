"""Where and in which language somebody is, by the traits that everybody uses for it; what is none is not used."""

import re
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# A language, perhaps with script and country, as in BCP 47: pt, pt-BR, zh_Hant_TW.
LOCALE: Final = r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,7}){0,2}$"
# The trait that tells where somebody's clock stands: it decides when they are written to.
ZONE: Final = "timezone"
_COUNTRY: Final = r"^[A-Za-z]{2}$"


@cache
def zones() -> list[str]:
    """The names of the IANA's zones; a machine may add its own, and one that says that nothing was set."""
    return sorted(available_timezones() - {"localtime", "Factory"})


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(zones())


def is_zone(value: object) -> bool:
    return isinstance(value, str) and value in _known_zones()


def unused(name: str, value: Any) -> str | Promise:
    """Why the value of such a trait is not used, if it is not."""
    if name == ZONE and not is_zone(value):
        return _("not a time zone, so not used")
    if name == "locale" and not _is(LOCALE, value):
        return _("not a locale, so not used")
    if name == "country" and not _is(_COUNTRY, value):
        return _("not a country's two letters, so not used")
    return ""


def _is(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
