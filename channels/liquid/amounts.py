"""Whole numbers that know their currency: in what tells a `currency`, and in all that it holds, numbers are of it.

So `{{ event.total | money }}` is said in the event's currency, and so is `{{ event.total | plus: 5 | money }}`.
"""

from collections.abc import Mapping
from typing import Any, Final

CURRENCY: Final = "currency"
# What was made of two: no amount of either, so it cannot be said.
MIXED: Final = "two currencies"


class Amount(int):
    """A number like any other, except that `money` asks it."""

    currency: str

    @classmethod
    def of(cls, value: int, currency: str) -> "Amount":
        made = cls(value)
        made.currency = currency
        return made

    def _made(self, made: Any, other: object = 0) -> Any:
        """What a sum, a share or a multiple of it is, of the same currency still."""
        if type(made) is not int:
            return made
        agrees = not isinstance(other, Amount) or other.currency == self.currency
        return Amount.of(made, self.currency if agrees else MIXED)

    def __add__(self, other: Any) -> Any:
        return self._made(int.__add__(self, other), other)

    def __sub__(self, other: Any) -> Any:
        return self._made(int.__sub__(self, other), other)

    def __mul__(self, other: Any) -> Any:
        return self._made(int.__mul__(self, other), other)

    def __floordiv__(self, other: Any) -> Any:
        return self._made(int.__floordiv__(self, other), other)

    def __radd__(self, other: Any) -> Any:
        return self._made(int.__radd__(self, other))

    def __rsub__(self, other: Any) -> Any:
        return self._made(int.__rsub__(self, other))

    def __rmul__(self, other: Any) -> Any:
        return self._made(int.__rmul__(self, other))

    def __abs__(self) -> Any:
        return self._made(int.__abs__(self))


def with_currencies(value: Any, currency: str = "") -> Any:
    """The same plain data, its whole numbers amounts of the nearest currency told above them."""
    if isinstance(value, dict):
        told = value.get(CURRENCY)
        own = told if isinstance(told, str) and told else currency
        return {key: with_currencies(one, own) for key, one in value.items()}
    if isinstance(value, list):
        return [with_currencies(one, currency) for one in value]
    return Amount.of(value, currency) if currency and type(value) is int else value


def currency_of(value: Any) -> str:
    if isinstance(value, Mapping):
        told = value.get(CURRENCY)
        return told if isinstance(told, str) else ""
    return value.currency if isinstance(value, Amount) else ""
