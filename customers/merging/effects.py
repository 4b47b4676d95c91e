"""What a merge or unmerge would change beside the people themselves: told by whoever keeps something of theirs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that would change, in words. `is_loss` marks what a person should look at twice."""

    what: "str | Promise"
    words: str
    is_loss: bool = False


@dataclass(frozen=True, slots=True)
class Regrouped:
    """Whose each profile is now, and whose it would be; profiles that stay with their customer are in both."""

    before: Mapping[UUID, UUID]
    after: Mapping[UUID, UUID]
    # By profile, since when it has been with its customer.
    since: Mapping[UUID, datetime]
    now: datetime

    @property
    def profiles(self) -> Collection[UUID]:
        return self.after.keys()


Teller = Callable[[Regrouped], Sequence[Effect]]

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have `teller` asked what a regrouping would change; it writes nothing."""
    if teller not in _tellers:
        _tellers.append(teller)


def effects(regrouped: Regrouped) -> list[Effect]:
    return [effect for teller in _tellers for effect in teller(regrouped)]
