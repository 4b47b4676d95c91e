"""How much of the company there is: known to whoever makes it and to whoever comes by, without a database."""

from dataclasses import dataclass
from typing import Final

SEED: Final = 2026


@dataclass(frozen=True, slots=True)
class Size:
    """How many people, over how many days, and for how many of them journeys have been live."""

    people: int = 2500
    days: float = 85.0
    live_days: float = 15.0
