"""What a merge or unmerge would change beside the people themselves: told by whoever keeps something of theirs."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from psycopg import Cursor

from customers.pg import raw_cursor
from customers.resolve.component import Move, write_customers, write_moves


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that would change, in words that may hold personal data.

    `is_loss` marks what a person should look at twice.
    """

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


@contextmanager
def as_if(regrouped: Regrouped) -> Iterator[Cursor[Any]]:
    """The database as the regrouping would leave it, for whoever asks it within; then all of it is undone."""
    moved = [profile for profile, to in regrouped.after.items() if regrouped.before[profile] != to]
    moves = [Move(one, regrouped.before[one], regrouped.after[one], regrouped.since[one]) for one in sorted(moved)]
    with transaction.atomic(), raw_cursor() as cursor:
        point = transaction.savepoint()
        try:
            write_customers(cursor, set(regrouped.after.values()), regrouped.now)
            write_moves(cursor, moves, (), regrouped.now)
            yield cursor
        finally:
            transaction.savepoint_rollback(point)


Teller = Callable[[Regrouped], Sequence[Effect]]

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have `teller` asked what a regrouping would change; it writes nothing."""
    if teller not in _tellers:
        _tellers.append(teller)


def effects(regrouped: Regrouped) -> list[Effect]:
    return [effect for teller in _tellers for effect in teller(regrouped)]
