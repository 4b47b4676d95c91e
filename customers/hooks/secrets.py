"""The secrets of a hook: sealed at rest, several at once while a sender changes over, never shown again."""

from typing import Any, Final

from customers.hooks.signatures import Signing
from customers.models import Hook
from customers.sealing import open_sealed, seal

MOST: Final = 3


def signing_of(hook: Hook) -> Signing:
    return Signing(hook.scheme, hook.header, hook.algorithm, hook.encoding, hook.prefix, keys_of(hook))


def keys_of(hook: Hook) -> tuple[str, ...]:
    held: Any = open_sealed(bytes(hook.secrets), place(hook)).get("keys", [])
    return tuple(held)


def add(hook: Hook, secret: str) -> None:
    """Let bodies signed with `secret` in, beside those of the secrets before."""
    _set(hook, (secret, *(key for key in keys_of(hook) if key != secret))[:MOST])


def forget_older(hook: Hook) -> int:
    """Leave the newest secret alone; return how many hold no longer."""
    keys = keys_of(hook)
    if len(keys) > 1:
        _set(hook, keys[:1])
    return max(0, len(keys) - 1)


def _set(hook: Hook, keys: tuple[str, ...]) -> None:
    hook.secrets = seal({"keys": list(keys)}, place(hook))


def place(hook: Hook) -> str:
    """What the sealed secrets are bound to."""
    return f"customers_hook:{hook.pk}:secrets"
