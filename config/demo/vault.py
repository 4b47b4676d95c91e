"""What the demo must remember in the clear: passwords, keys and the token, one file a database, for its owner only."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from config.processes import PROJECT

FOLDER: Final = PROJECT / ".local" / "demo"
# Easily told apart when typed from a terminal.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class Vault(msgspec.Struct, kw_only=True):
    """Passwords by user name, write keys by "brand/source"."""

    passwords: dict[str, str] = {}
    write_keys: dict[str, str] = {}
    partner_token: str = ""


def path_of(database_url: str) -> Path:
    return FOLDER / f"{hashlib.sha256(database_url.encode()).hexdigest()[:12]}.json"


def open_vault(path: Path, usernames: Iterable[str]) -> Vault:
    """What is in the file, with a password for everybody who has none yet."""
    vault = msgspec.json.decode(path.read_bytes(), type=Vault) if path.exists() else Vault()
    for username in usernames:
        vault.passwords.setdefault(username, _password())
    return vault


def close_vault(path: Path, vault: Vault) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(vault)))
    new.replace(path)


def _password() -> str:
    """Four groups of four: about 79 bits, and what the password rules ask for."""
    return "-".join("".join(secrets.choice(_LETTERS) for _letter in range(4)) for _group in range(4))
