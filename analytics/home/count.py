"""A count that stops at a bound."""

from dataclasses import dataclass

from django.utils.formats import number_format


@dataclass(frozen=True, slots=True)
class Count:
    """`more`: there are more than that, uncounted."""

    value: int = 0
    more: bool = False

    @classmethod
    def within(cls, counted: int, bound: int) -> "Count":
        """From a count that looked at no more than `bound` + 1 rows."""
        return cls(min(counted, bound), counted > bound)

    def __bool__(self) -> bool:
        return self.value > 0

    def __str__(self) -> str:
        return number_format(self.value, force_grouping=True) + ("+" if self.more else "")
