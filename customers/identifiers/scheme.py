"""What a scheme is, and the register of them: each lives in one file of `schemes`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

from django.utils.functional import Promise

Text = str | Promise


class Scheme(ABC):
    """A way of reading values. A subclass is known as soon as its module is imported."""

    key: ClassVar[str]
    label: ClassVar[Text]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "key" in cls.__dict__:
            other = _schemes.setdefault(cls.key, cls())
            if type(other) is not cls:
                raise RuntimeError(f"two schemes are called {cls.key}: {type(other)!r}, {cls!r}")

    @abstractmethod
    def read(self, value: str, region: str = "") -> tuple[str, str]:
        """`value` as it is compared, and as it was given (how a message would be addressed).

        `region` is the country (ISO 3166-1) of numbers that name none, "" where there is none to assume. Raises
        IdentifierError for what identifies nobody.
        """


_schemes: dict[str, Scheme] = {}


def schemes() -> Mapping[str, Scheme]:
    """All of them, by key."""
    package = import_module("customers.identifiers.schemes")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return _schemes


def scheme(key: str) -> Scheme:
    """Raises KeyError for a scheme that is not installed."""
    return _schemes[key] if key in _schemes else schemes()[key]
