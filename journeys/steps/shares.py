"""Drawing by shares: several of something, each with its percent, together 100."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.rules.errors import Problem
from journeys.steps.base import NAME

WHOLE: Final = 100
_FEWEST, _MOST = 2, 9


@dataclass(frozen=True, slots=True)
class Words:
    """What is drawn: the field that lists them, that which names each, and what is said of too few, or of a name."""

    list: str
    name: str
    count_code: str
    count: Text
    bad_name: Text
    duplicate_code: str


def drawn_by(shares: Sequence[int], side: int) -> int:
    """On which of them the lot falls that shows this side of `WHOLE`."""
    return next(n for n, end in enumerate(accumulate(shares)) if side < end)


def share_problems(words: Words, names: Sequence[str], shares: Sequence[int]) -> Iterator[Problem]:
    at = f"/{words.list}"
    if not _FEWEST <= len(names) <= _MOST:
        yield Problem(words.count_code, at, words.count)
    if min(shares, default=1) < 1 or sum(shares) != WHOLE:
        message = _("The shares are %(sum)s percent together, not 100.") % {"sum": sum(shares)}
        yield Problem("shares", at, message, _("Give each at least 1 percent, and all together 100."))
    for n, name in enumerate(names):
        if not NAME.fullmatch(name):
            hint = _("Up to 60 letters, digits, dots, hyphens and underscores, a letter first.")
            yield Problem("bad_name", f"{at}/{n}/{words.name}", words.bad_name, hint)
        if name in names[:n]:
            message = _("“%(name)s” is already used.") % {"name": name}
            yield Problem(words.duplicate_code, f"{at}/{n}/{words.name}", message, _("Give it another name."))
