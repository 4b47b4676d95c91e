"""The step types, one file each: adding a file here adds a step type and touches nothing else."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
