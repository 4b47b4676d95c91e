"""Where a call may go: public addresses only, by TLS, unless the installation itself names the host.

Whoever writes an address may not thereby reach what stands beside us: this machine, its network, or the service by
which a cloud tells a machine its secrets. A name is resolved once, and the very address that was looked at is called.
"""

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

_PORTS: Final = frozenset({443, 8443})
# Azure's metadata service has a public address.
_METADATA: Final = frozenset({ipaddress.ip_address("168.63.129.16")})
# IPv6 that is routed on the Internet; what carries an IPv4 address inside it could lead anywhere.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_CARRIERS: Final = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))


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
        raise RefusedAddress("not an address") from None
    is_secure = parts.scheme == "https"
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or not host.isascii():
        raise RefusedAddress("not an address")
    port = port or (443 if is_secure else 80)
    is_trusted = _is_named(host, port)
    if not is_trusted and not (is_secure and port in _PORTS):
        raise RefusedAddress("only https, by port 443 or 8443")
    return Place(host, port, is_secure, is_trusted)


def addresses_of(place: Place) -> list[tuple[int, str]]:
    """(family, address) of the host, in the resolver's order. If one of them may not be called, none is: a name that
    leads here as well as elsewhere was not made in good faith."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownHost from None
    addresses: list[tuple[int, str]] = [(family, str(where[0])) for family, _kind, _protocol, _name, where in found]
    if not place.is_trusted and not all(is_public(address) for _family, address in addresses):
        raise RefusedAddress("not a public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether the address is one of the Internet's, to which anybody may talk."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if ip in _METADATA or ip.is_multicast or not ip.is_global:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _UNICAST and not any(ip in carrier for carrier in _CARRIERS)
    return True


def _is_named(host: str, port: int) -> bool:
    named: Collection[str] = settings.TRILHA_CALL_HOSTS
    return host in named or f"{host}:{port}" in named
