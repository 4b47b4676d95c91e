"""The address that content is pulled from: its host is written out, values stand behind it, each encoded."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from channels import templates
from channels.liquid import Reader
from channels.templates import TemplateError
from channels.web.address import RefusedAddress, place_of

MOST: Final = 2_000
_HOST: Final = re.compile(r"https?://(?P<host>[a-z0-9][a-z0-9.-]*(?::\d{1,5})?)(?=[/?]|\Z)")
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
# What is said of nobody.
_OF_ALL: Final = frozenset({"brand", "now", "today"})


class AddressError(ValueError):
    """What is wrong with an address; never a value."""


def host_of(source: str) -> str:
    """As it was written; raises AddressError."""
    found = _HOST.match(source)
    if found is None:
        raise AddressError(_("It begins with https:// and a host in small letters, followed by / or ?."))
    try:
        # Without TLS only hosts that the installation itself names.
        place_of(found[0])
    except RefusedAddress as error:
        raise AddressError(_("It may not be called: %(reason)s.") % {"reason": error}) from None
    return found["host"]


def check(source: str) -> None:
    """Refuse what would never lead anywhere, as early as it is saved; raises AddressError."""
    host_of(source)
    try:
        templates.check_address(source)
    except TemplateError as error:
        raise AddressError(str(error)) from None
    if "{" not in source and not _leads(source, host_of(source)):
        raise AddressError(_("There are signs in it that no address has."))


def fill(source: str, context: Mapping[str, Any], reader: Reader) -> str:
    """With the values of one person; raises TemplateError, or AddressError where they make no address of it."""
    filled = templates.address(source, context, reader)
    if not _leads(filled, host_of(source)):
        raise AddressError("no address")
    return filled


def names_person(source: str) -> bool:
    """Whether values of somebody are in it."""
    return any(path[0] not in _OF_ALL for path in templates.read_of(source))


def _leads(url: str, host: str) -> bool:
    """To that host and no other, whatever stands behind it."""
    if len(url) > MOST or not _PLAIN.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    dots = any(part in (".", "..") for part in parts.path.split("/"))
    return parts.netloc == host and not parts.fragment and not dots
