"""Where a tracked link may lead, and the marks (utm) that it carries to the brand's own sites."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from django.conf import settings

_LONGEST: Final = 4_000
_SCHEMES: Final = frozenset({"http", "https"})
# Unsubscribing, preferences, confirmations, and what is tracked already.
_WAYS: Final = ("/u/", "/p/", "/c/", "/l/", "/o/")


def may_lead(target: str) -> bool:
    """A whole address of the web: nobody's log-in, no other host in disguise, nothing that browsers read otherwise."""
    if len(target) > _LONGEST or any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in target):
        return False
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and "@" not in parts.netloc and port != 0


def is_way_out(target: str) -> bool:
    """A link by which the reader changes what they get: counted by nobody, and never led by way of anything."""
    public = settings.TRILHA_PUBLIC_URL.rstrip("/")
    return target.startswith(tuple(f"{public}{way}" for way in _WAYS))


@dataclass(frozen=True, slots=True)
class Marks:
    """What links to the brand's own hosts, and to hosts below them, carry."""

    values: Mapping[str, str] = field(default_factory=dict)
    hosts: Collection[str] = ()

    def on(self, target: str) -> str:
        """`target` with the marks that it does not name itself; all else of it stays as it was written."""
        if not self.values or not self._is_own(urlsplit(target).hostname or ""):
            return target
        address, sign, fragment = target.partition("#")
        path, asks, query = address.partition("?")
        named = {name for name, _value in parse_qsl(query, keep_blank_values=True)}
        more = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in self.values.items() if value and name not in named
        )
        if not more:
            return target
        joined = f"{query}{'' if not query or query.endswith('&') else '&'}{more}" if asks else more
        return f"{path}?{joined}{sign}{fragment}"

    def _is_own(self, host: str) -> bool:
        known = as_host(host)
        return any(known == own or known.endswith(f".{own}") for own in map(as_host, self.hosts) if own)


def as_host(name: str) -> str:
    """As the names of hosts are compared."""
    lower = name.strip().rstrip(".").lower()
    if lower.isascii():
        return lower
    try:
        return lower.encode("idna").decode()
    except UnicodeError:
        return lower
