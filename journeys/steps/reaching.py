"""By what a step reaches somebody, or another system, in the words of the definition."""

from datetime import timedelta
from typing import NamedTuple


class Through(NamedTuple):
    """A connector that a step goes by: where in the step it is named, by which key, and of which channel it must be."""

    pointer: str
    key: str
    channel: str


class Sends(NamedTuple):
    """The message that a step has made, by the keys of the definition; the journey's purpose where it has none."""

    channel: str
    connector: str
    purpose: str | None
    not_later_than: timedelta
    own_cancels: bool
