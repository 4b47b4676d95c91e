"""Endpoints of browsers: in one form, and only where a push may be sent."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django.utils.translation import gettext_lazy as _

from channels.web.address import RefusedAddress, place_of
from customers.models.address import MOST_VALUE

LONGEST: Final = MOST_VALUE
# Those of the browsers there are: Chrome and its kin, Firefox, Edge, Safari.
SERVICES: Final = "fcm.googleapis.com push.services.mozilla.com notify.windows.com push.apple.com"


class BadEndpoint(ValueError):
    """Nothing that a push could be sent to."""


def normal(endpoint: str) -> str:
    """The endpoint as it is compared, or BadEndpoint. Scheme and host are small; all else is the service's own."""
    if not 0 < len(endpoint) <= LONGEST or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise BadEndpoint(_("this is no address"))
    try:
        place = place_of(endpoint)
    except RefusedAddress as error:
        raise BadEndpoint(str(error)) from None
    parts = urlsplit(endpoint)
    if parts.fragment or "\\" in endpoint:
        raise BadEndpoint(_("this is no address"))
    port = "" if place.port == (443 if place.is_secure else 80) else f":{place.port}"
    host = f"[{place.host}]" if ":" in place.host else place.host
    return urlunsplit((parts.scheme, host + port, parts.path or "/", parts.query, ""))


def origin_of(endpoint: str) -> str:
    """Scheme, host and port, as a token for its push service is made out to (RFC 8292 §2)."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def is_among(endpoint: str, services: Collection[str]) -> bool:
    """Whether it is one of these hosts' or below one; where none is named, any but those that the installation names
    for calls of its own: these are inside, and no page is to lead us there."""
    place = place_of(endpoint)
    if not services:
        return not place.is_trusted
    return any(place.host == one or place.host.endswith(f".{one}") for one in services)
