"""What a check is: a function over a template's words that says what it found, in which language."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from channels.checks.page import Page, read
from channels.templates import Text
from customers.models import Brand
from customers.work import describe

logger = logging.getLogger(__name__)


class Level(StrEnum):
    # Somebody would get no message, or one that does not work.
    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str
    # Of which language's words; empty: of all.
    locale: str = ""


@dataclass(frozen=True)
class Template:
    """What is checked: the words of one version."""

    channel: str
    brand: Brand
    texts: Sequence[Text] = field(default_factory=list)
    # Of the purpose that it is sent for, where that is known (consent.models.Purpose.Kind).
    purpose_kind: str = ""

    @cached_property
    def pages(self) -> dict[str, Page]:
        """By language, the pages as they would be read, Liquid still in them."""
        return {text.locale: read(text.html) for text in self.texts if text.html.strip()}


Check = Callable[[Template], Iterable[Finding]]
_checks: Final[list[tuple[int, Check]]] = []
_ORDER: Final = (Level.FAULT, Level.WARNING, Level.NOTE)


def check(*, place: int) -> Callable[[Check], Check]:
    """Register a check; `place` orders what is found of one level."""

    def register(function: Check) -> Check:
        _checks.append((place, function))
        return function

    return register


def findings(template: Template) -> list[Finding]:
    """Of all checks, the gravest first."""
    found = list(_all(template))
    return sorted(found, key=lambda one: _ORDER.index(one.level))


def _all(template: Template) -> Iterator[Finding]:
    for _place, function in sorted(_checks, key=lambda pair: pair[0]):
        try:
            yield from list(function(template))
        except Exception as error:
            # A fault of ours in one check hides neither the others nor the page that shows them.
            logger.error("check %s broke: %s", function.__name__, describe(error))
            yield Finding(Level.WARNING, _("One of the checks could not be made of these words."))
