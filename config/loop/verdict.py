"""A line of the verdict: what must have come of it, beside what has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table; a range is an expectation that a kill makes less than exact."""

    what: str
    expected: object
    got: object

    @property
    def holds(self) -> bool:
        return self.got in self.expected if isinstance(self.expected, range) else self.got == self.expected

    def row(self) -> tuple[str, str, str]:
        expected = self.expected
        if isinstance(expected, range):
            expected = expected[0] if len(expected) == 1 else f"{expected[0]} to {expected[-1]}"
        return ("  " if self.holds else "✗ ") + self.what, str(expected), str(self.got)
