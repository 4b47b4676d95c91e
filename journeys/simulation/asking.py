"""What rules ask beside traits and events, as it stood at a moment of a simulation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from channels.entitlements.leaf import HELD, Held
from consent.permission import Choice, Want
from consent.permitted import REFUSALS
from customers.rules import Facts
from customers.rules.in_segment import SEGMENTS
from journeys.engine.walk import Send
from journeys.this_run import MESSAGES
from journeys.version import Version


class Unread(Exception):
    """A permission that nobody has read yet; with it read, the same life is played again."""

    def __init__(self, want: Want, at: datetime) -> None:
        super().__init__(want, at)
        self.asked = want, at


class Known(Protocol):
    def choices(self, want: Want, at: datetime) -> list[Choice]: ...

    def segments(self, customer: UUID, at: datetime) -> Collection[str]: ...

    def held(self, customer: UUID, at: datetime) -> Sequence[Held]: ...


@dataclass(frozen=True, slots=True)
class _Refusals(Mapping[tuple[str, str], str]):
    """Why there is no permission, looked up only where a rule comes to ask for it."""

    known: Known
    customer: UUID
    at: datetime
    purposes: Mapping[tuple[str, str], UUID]

    def __getitem__(self, place: tuple[str, str]) -> str:
        want = Want(self.customer, place[1], self.purposes[place])
        return self.known.choices(want, self.at)[0].verdict.reason

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.purposes)

    def __len__(self) -> int:
        return len(self.purposes)


def with_answers(
    facts: Facts,
    version: Version,
    known: Known,
    customer: UUID,
    at: datetime,
    sent: Sequence[tuple[datetime, Send]] = (),
    granted: Sequence[Held] = (),
) -> Facts:
    """The facts with what else the version's rules ask; `sent` are the messages the run has asked for, `granted` is
    what the journey would have granted."""
    asks = version.asks
    if not asks:
        return facts
    extra = dict(facts.extra)
    if asks.segments:
        extra[SEGMENTS] = known.segments(customer, at)
    if asks.permissions:
        extra[REFUSALS] = _Refusals(known, customer, at, asks.permissions)
    if asks.held:
        extra[HELD] = [*known.held(customer, at), *granted]
    if asks.messages:
        extra[MESSAGES] = sum(_had(known, send, then) for then, send in sent)
    return replace(facts, extra=extra)


def _had(known: Known, send: Send, at: datetime) -> bool:
    sending = send.run.version.sendings[send.step]
    choices = known.choices(Want(send.run.customer_id, sending.channel, sending.purpose_id), at)
    return any(choice.verdict.allowed for choice in choices)
