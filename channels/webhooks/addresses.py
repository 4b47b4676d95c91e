"""Whether an endpoint may stand at an address; asked when it is saved, and again by every call that is made."""

import time
from typing import Final

from django.utils.translation import gettext_lazy as _

from channels.web.address import RefusedAddress, UnknownHost, addresses_of, place_of

_SECONDS: Final = 2.0
# Names that no public resolver knows, and that inside a network may lead anywhere.
_INSIDE: Final = (".internal", ".local", ".localhost", ".home.arpa", ".intranet", ".lan", ".corp")


def check(url: str) -> None:
    """Raises RefusedAddress. A name that is not known yet passes: a call would say so, and look again."""
    place = place_of(url)
    if any(ord(sign) <= 32 or ord(sign) > 126 or sign in "\\#" for sign in url):
        raise RefusedAddress(_("this is no address"))
    if place.is_trusted:
        return
    if place.host.lower().endswith(_INSIDE) or ("." not in place.host and ":" not in place.host):
        raise RefusedAddress(_("this is no public address"))
    try:
        addresses_of(place, time.monotonic() + _SECONDS)
    except (UnknownHost, TimeoutError):
        return
