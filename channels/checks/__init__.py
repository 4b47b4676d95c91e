"""Checks of a template before people get it, one file each: adding one is adding a file."""

from importlib import import_module
from pkgutil import iter_modules

from channels.checks.base import Finding, Level, Template, findings

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Finding", "Level", "Template", "findings"]
