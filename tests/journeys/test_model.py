"""The engine against a tiny model of one journey that shares no code with it; FULL=1 tries 2,000 sequences."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from channels.models import Message
from journeys.models import Run
from tests.journeys.sequences import Staged, begun, try_many
from tests.journeys.stage import message, welcome

HOUR = timedelta(hours=1)
USERS = ("ana", "bia")
LOG_IN, ORDER, LEFT, SIGN_UP = "login.succeeded", "order.completed", "customer.left", "customer.signed_up"
DELIGHTED = "customer.delighted"


def document() -> dict[str, Any]:
    """20 hours until a log-in, else a reminder; three hours' rest; 10 hours until an order, be it one since the
    entry. After 26 hours it is over, with a last word; a delight within four hours is the goal."""
    state = "not_activated"
    return welcome(
        entry={"event": SIGN_UP, "reentry": "always"},
        exit_events=[
            {"event": LEFT, "state": "lost"},
            {"event": DELIGHTED, "state": "activated", "goal": True, "within": "PT4H"},
        ],
        timeout={"after": "PT26H", "state": "lost", "last_step": "farewell"},
        steps=[
            {"type": "hold", "id": "first", "state": state, "branches": [{"event": LOG_IN, "next": "rest"}],
             "timeout": {"after": "PT20H", "next": "remind"}},
            message("remind", next="rest"),
            {"type": "delay", "id": "rest", "state": state, "after": "PT3H", "next": "second"},
            {"type": "hold", "id": "second", "state": state, "branches": [{"event": ORDER, "next": "done"}],
             "timeout": {"after": "PT10H", "next": "lost"}},
            message("farewell", next="lost"),
            {"type": "exit", "id": "done", "state": "activated"},
            {"type": "exit", "id": "lost", "state": "lost"},
        ],
    )  # fmt: skip


@dataclass
class Walk:
    """One run as the model has it: where it is, until when, and how it ended."""

    entered: datetime
    due: datetime
    at: str = "first"
    has_ordered: bool = False
    end: tuple[str, datetime] | None = None

    @property
    def over(self) -> datetime:
        """When it ends at the latest."""
        return self.entered + 26 * HOUR

    @property
    def next(self) -> datetime:
        return min(self.due, self.over)


@dataclass
class Person:
    agreed: bool = True
    walks: list[Walk] = field(default_factory=list)
    sent: int = 0
    refused: int = 0

    @property
    def live(self) -> Walk | None:
        return self.walks[-1] if self.walks and self.walks[-1].end is None else None

    def pass_time(self, now: datetime, *, is_before: bool = False) -> None:
        """Let time run out up to now; before an event, what falls due at its very moment waits."""
        while (walk := self.live) and (walk.next < now or (walk.next == now and not is_before)):
            due = walk.next
            if due == walk.over:
                self.sent += self.agreed
                walk.end = ("lost", due)
            elif walk.at == "second":
                walk.end = ("lost", due)
            elif walk.at == "rest":
                walk.at, walk.due = "second", due + 10 * HOUR
                if walk.has_ordered:
                    walk.end = ("activated", due)
            else:
                self.sent += self.agreed
                walk.at, walk.due = "rest", due + 3 * HOUR

    def happen(self, name: str, now: datetime) -> None:
        walk = self.live
        if walk and name == LEFT:
            walk.end = ("lost", now)
        elif walk and name == DELIGHTED and now <= walk.entered + 4 * HOUR:
            walk.end = ("activated", now)
        elif walk and name == LOG_IN and walk.at == "first":
            walk.at, walk.due = "rest", now + 3 * HOUR
        elif walk and name == ORDER:
            walk.has_ordered = True
            if walk.at == "second":
                walk.end = ("activated", now)
        elif name == SIGN_UP and not walk and self.agreed:
            self.walks.append(Walk(now, now + 20 * HOUR))


class Machine(Staged):
    @initialize()
    def begin(self) -> None:
        self.open_stage()
        self.stage.publish(document())
        self.people = {user: Person() for user in USERS}
        for user in USERS:
            self.stage.know(user)

    @rule(minutes=st.integers(1, 60 * 30))
    def time_passes(self, minutes: int) -> None:
        until = self.stage.now + timedelta(minutes=minutes)
        # A worker looks every second; here, whenever something falls due.
        while (due := self._next_due()) and due <= until:
            self.stage.now = due
            self.stage.run()
        self.stage.now = until
        self.stage.run()
        for person in self.people.values():
            person.pass_time(until)

    @rule(user=st.sampled_from(USERS), name=st.sampled_from([SIGN_UP, LOG_IN, ORDER, LEFT, DELIGHTED]))
    def something_happens(self, user: str, name: str) -> None:
        self.stage.now += timedelta(seconds=1)
        for person in self.people.values():
            person.pass_time(self.stage.now, is_before=True)
        self.stage.happen(name, user)
        self.people[user].happen(name, self.stage.now)
        for person in self.people.values():
            person.pass_time(self.stage.now)

    @rule(user=st.sampled_from(USERS), agrees=st.booleans())
    def somebody_changes_their_mind(self, user: str, agrees: bool) -> None:
        self.stage.now += timedelta(seconds=1)
        self.stage.happen("consent.granted" if agrees else "consent.withdrawn", user, properties={"purpose": "news"})
        for person in self.people.values():
            person.pass_time(self.stage.now)
        self.people[user].agreed = agrees

    @begun()
    @invariant()
    def the_engine_and_the_model_agree(self) -> None:
        for user, person in self.people.items():
            runs = list(Run.objects.filter(profile__identifier__value=user).order_by("id"))
            states = ["not_activated", "activated", "lost"]
            ends = [(states[run.state], run.ended_at) if run.ended_at else None for run in runs]
            assert [walk.end for walk in person.walks] == ends
            assert [walk.entered for walk in person.walks] == [run.entered_at for run in runs]
            waiting = [
                (run.due_at, run.version.definition["steps"][run.step]["id"]) for run in runs if not run.ended_at
            ]
            assert waiting == ([(person.live.next, person.live.at)] if person.live else [])
            queued = Message.objects.filter(profile__in=[run.profile_id for run in runs], state="queued")
            assert queued.count() == person.sent

    def _next_due(self) -> datetime | None:
        return Run.objects.filter(status=1).order_by("due_at").values_list("due_at", flat=True).first()


@pytest.mark.django_db
def test_whatever_happens_the_engine_does_as_the_model() -> None:
    try_many(Machine, steps=12)
