"""What can be wrong with a rule, said so that a person or a form can put it right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from customers.hints import Text as Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: a stable code, a JSON pointer into the rule, and what to do about it."""

    code: str
    pointer: str
    message: Text
    hint: Text = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "pointer": self.pointer,
            "message": str(self.message),
            "hint": str(self.hint),
        }


class RuleError(ValueError):
    """A rule that cannot be used; `problems` are all its mistakes, at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    @property
    def code(self) -> str:
        return self.problems[0].code

    @property
    def pointer(self) -> str:
        return self.problems[0].pointer

    @property
    def message(self) -> Text:
        return self.problems[0].message

    @property
    def hint(self) -> Text:
        return self.problems[0].hint

    def __str__(self) -> str:
        return "; ".join(f"{one.pointer or '/'}: {one.message}" for one in self.problems)
