"""Readers of environment variables: the only way a setting gets its value from outside."""

import base64
import binascii
import json
import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, str(default)).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no, on, off")


def number(name: str, default: float) -> float:
    try:
        return float(text(name, str(default)))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number") from None


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    return [item for part in text(name, default).split(",") if (item := part.strip())]


def document(name: str) -> dict[str, Any]:
    """A JSON object; nothing is an empty one."""
    try:
        value = json.loads(text(name, "{}"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} must be a JSON object")
    return value


def key(name: str, default: str) -> bytes:
    """32 bytes in base64; none at all where neither says any."""
    encoded = text(name, default)
    try:
        value = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        value = b"?"
    if encoded and len(value) != 32:
        raise ImproperlyConfigured(f"{name} must be base64 of 32 bytes")
    return value


def key_ring(name: str, default: str) -> dict[str, bytes]:
    """`id:base64,id:base64`: the first key seals, all of them open."""
    ring = {}
    for entry in items(name, default):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or key_id in ring or len(key) != 32:
            raise ImproperlyConfigured(f"{name} must be id:base64 of 32 bytes, comma-separated, each id once")
        ring[key_id] = key
    return ring


def database(url: str) -> dict[str, Any]:
    """Django's connection settings from `postgres://user:password@host:port/name?host=/socket/folder`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must read postgres://user:password@host:port/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
    }


def mail(url: str) -> dict[str, Any]:
    """A mail server from `smtp://user:password@host:587` (STARTTLS; `?tls=no` without) or `smtps://…:465`."""
    parts = urlsplit(url)
    without = parts.query == "tls=no"
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or port == -1 or (parts.query and not without):
        raise ImproperlyConfigured("TRILHA_MAIL_URL must read smtp://user:password@host:587 or smtps://…:465")
    is_ssl = parts.scheme == "smtps"
    return {
        "host": parts.hostname,
        "port": port or (465 if is_ssl else 587),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "starttls": not is_ssl and not without,
        "ssl": is_ssl,
    }
