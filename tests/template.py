"""A database with all migrations in it, from which each test process gets its own by copying.

Migrating takes seconds, copying one. The template is named after what is in the migrations, so it is made anew when
one of them changes; it stays on the server for the next run, and those of before go.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.apps import apps
from psycopg import sql

_PROJECT: Final = Path(__file__).resolve().parent.parent
_PREFIX: Final = "trilha_template_"
# One process makes it, and the others wait.
_LOCK: Final = 0x7472696C6861


def template_at(url: str) -> str:
    """The name of the template on the server of this address, which is made where it is missing."""
    name = _PREFIX + _digest()
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        rows = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX])
        found = {row[0] for row in rows}
        if name not in found:
            for old in found:
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
            _make(server, url, name)
    return name


def _digest() -> str:
    """Of all migrations, ours and those of packages, which go by their versions."""
    told = sha256(django.get_version().encode())
    for app in sorted(apps.get_app_configs(), key=lambda one: one.name):
        for file in sorted((Path(app.path) / "migrations").glob("*.py")):
            told.update(f"{app.name} {file.name} ".encode() + file.read_bytes())
    return told.hexdigest()[:16]


def _make(server: "psycopg.Connection[Any]", url: str, name: str) -> None:
    """Under another name until it is whole."""
    made = f"{_PREFIX}in_the_making"
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made)))
    environment = {**os.environ, "DATABASE_URL": _at(url, made)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=_PROJECT, env=environment, check=True
    )
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(made), sql.Identifier(name)))


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
