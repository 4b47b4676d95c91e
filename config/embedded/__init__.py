"""PostgreSQL and Valkey out of wheels, for whoever names neither DATABASE_URL nor BROKER_URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from . import home as homes
from . import postgres, users, valkey
from .home import EmbeddedError, Home, local
from .server import Server

__all__ = ["EmbeddedError", "addresses", "keep", "local", "running"]

_BUILDERS = {"DATABASE_URL": postgres, "BROKER_URL": valkey}


def addresses() -> dict[str, str]:
    """Where the servers listen while they run."""
    home = homes.find()
    return {name: builder.address(home) for name, builder in _BUILDERS.items()}


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Hold up a server for each of DATABASE_URL and BROKER_URL that is not set; yields their values."""
    with held() as (environment, _descriptor):
        yield environment


@contextmanager
def held() -> Iterator[tuple[dict[str, str], int | None]]:
    """As `running`, with the descriptor by which a child process can hold the servers up as well."""
    wanted = [name for name in _BUILDERS if not os.environ.get(name)]
    if not wanted or os.environ.get("TRILHA_ENV") == "production":
        yield {}, None
        return
    home = homes.find()
    home.make()
    servers = _servers(home)
    with users.reference(home, [servers[name] for name in wanted], list(servers.values())) as descriptor:
        yield {name: address for name, address in addresses().items() if name in wanted}, descriptor


def keep() -> None:
    home = homes.find()
    users.keep(home, list(_servers(home).values()))


def _servers(home: Home) -> dict[str, Server]:
    return {name: builder.server(home) for name, builder in _BUILDERS.items()}
