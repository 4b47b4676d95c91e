"""Liquid in a page, set aside while the page is worked on and put back afterwards."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MARK: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(slots=True)
class Marks:
    """For each a word that stands in no page by chance, wherever it is put, also where it is put twice."""

    kept: list[str] = field(default_factory=list)
    word: str = field(default_factory=lambda: f"mark{secrets.token_hex(8)}x")

    def aside(self, source: str, around: Callable[[int, str], str] = lambda _at, token: token) -> str:
        """`around` says what a mark at this place in the source is to stand in."""

        def keep(mark: re.Match[str]) -> str:
            self.kept.append(mark[0])
            return around(mark.start(), f"{self.word}{len(self.kept) - 1}x")

        return MARK.sub(keep, source)

    def back(self, text: str) -> str:
        return re.sub(rf"{self.word}(\d+)x", lambda word: self.kept[int(word[1])], text)

    def steering(self, text: str) -> str:
        """The words that stand for tags, `{% … %}`, without all that is beside them."""
        words = re.finditer(rf"{self.word}(\d+)x", text)
        return "".join(word[0] for word in words if self.kept[int(word[1])].startswith("{%"))
