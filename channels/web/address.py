"""Where a call may go: public addresses only, by TLS, unless the installation itself names the host.

Whoever writes an address may not thereby reach what stands beside us: this machine, its network, or the service by
which a cloud tells a machine its secrets. A name is resolved once, and the very address that was looked at is called.
"""

import ipaddress
import socket
import time
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass
from threading import BoundedSemaphore, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

_PORTS: Final = frozenset({443, 8443})
# Azure's metadata service has a public address.
_METADATA: Final = frozenset({ipaddress.ip_address("168.63.129.16")})
# IPv6 that is routed on the Internet; what carries an IPv4 address inside it could lead anywhere.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_CARRIERS: Final = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
# Where a network has IPv6 only, its resolver gives the IPv4 of others inside such an address.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Relays of 6to4, and addresses for documents.
_NOBODY: Final = (ipaddress.IPv4Network("192.88.99.0/24"), ipaddress.IPv6Network("3fff::/20"))
# The half of an IPv6 address that says it is ISATAP's, with an IPv4 address behind it; two bits of it are free.
_ISATAP: Final = 0x00005EFE
_ISATAP_BITS: Final = 0xFCFFFFFF
# Resolvers that hang are left behind, but not without end.
_resolving = BoundedSemaphore(64)


class RefusedAddress(Exception):
    """The place may not be called."""


class UnknownHost(Exception):
    """The name of the host means nothing to the resolver."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address leads: over TLS or not, to which host and port."""

    host: str
    port: int
    is_secure: bool
    # Named by the installation: it may be private, and without TLS.
    is_trusted: bool


def place_of(url: str) -> Place:
    """Raises RefusedAddress of what cannot be called, whatever it resolves to."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise RefusedAddress(_("this is no address")) from None
    is_secure = parts.scheme == "https"
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or not host.isascii():
        raise RefusedAddress(_("this is no address"))
    port = port or (443 if is_secure else 80)
    is_trusted = _is_named(host, port)
    if not is_trusted and not (is_secure and port in _PORTS):
        raise RefusedAddress(_("only https is called, by port 443 or 8443"))
    return Place(host, port, is_secure, is_trusted)


def addresses_of(place: Place, deadline: float) -> list[tuple[int, str]]:
    """(family, address) of the host, in the resolver's order; raises TimeoutError. If one of them may not be called,
    none is: a name that leads here as well as elsewhere was not made in good faith."""
    try:
        found = _resolve(place, deadline)
    except TimeoutError:
        raise
    except (OSError, UnicodeError):
        raise UnknownHost from None
    addresses: list[tuple[int, str]] = [(family, str(where[0])) for family, *_kind, where in found]
    if not place.is_trusted and not all(is_public(address) for _family, address in addresses):
        raise RefusedAddress(_("this is no public address"))
    return addresses


def _resolve(place: Place, deadline: float) -> list[Any]:
    """The resolver knows no deadline: it is asked by a thread of its own, which is left behind when it hangs."""
    if not _resolving.acquire(timeout=max(deadline - time.monotonic(), 0)):
        raise TimeoutError("resolvers hang")
    found: Future[list[Any]] = Future()

    def resolve() -> None:
        try:
            found.set_result(socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM))
        except BaseException as error:
            found.set_exception(error)
        finally:
            _resolving.release()

    Thread(target=resolve, name="resolve", daemon=True).start()
    return found.result(max(deadline - time.monotonic(), 0))


def is_public(address: str) -> bool:
    """Whether the address is one of the Internet's, to which anybody may talk."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip in _NAT64:
        return is_public(str(_inner(ip)))
    if ip in _METADATA or ip.is_multicast or not ip.is_global or any(ip in one for one in _NOBODY):
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        is_isatap = int(ip) >> 32 & _ISATAP_BITS == _ISATAP
        is_inside = is_isatap and not is_public(str(_inner(ip)))
        return ip in _UNICAST and not is_inside and not any(ip in carrier for carrier in _CARRIERS)
    return True


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    """The IPv4 address that is its end."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


def _is_named(host: str, port: int) -> bool:
    named: Collection[str] = settings.TRILHA_CALL_HOSTS
    return host in named or f"{host}:{port}" in named
