"""Entry against a tiny model that shares no code with it: who comes in, by which key, again when, and how often.

The conditions are drawn for each sequence: re-entry never, always or after six hours; a run for each cart or one at
all; a cap of two entries in any twelve hours; one marketing journey of the brand at once. FULL=1 tries 2,000.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from customers.models import Brand, Identifier
from journeys.models import EntryRefusal, Run
from tests.journeys.sequences import Staged, begun, try_many
from tests.journeys.stage import message, welcome

USERS = ("ana", "bia")
CART, OTHER = "cart", "other"
BEGAN = {CART: "cart.created", OTHER: "visit.booked"}
ENDED = {CART: "order.completed", OTHER: "visit.over"}
# Each journey is over after so long, if nothing has ended it.
LASTS = {CART: timedelta(hours=10), OTHER: timedelta(hours=30)}
AFTER, SPAN, MOST = timedelta(hours=6), timedelta(hours=12), 2
# An event comes a second after what came before it: with these it comes at the very moment that something ends.
EXACTLY = [int(span.total_seconds()) - 1 for span in (AFTER, SPAN, *LASTS.values())]


@dataclass(frozen=True)
class Conditions:
    """How people come into the cart journey, and in how many journeys of the brand they may be."""

    reentry: str
    keyed: bool
    capped: bool
    at_once: int | None

    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"event": BEGAN[CART], "reentry": self.reentry}
        if self.reentry == "after":
            entry["reentry_after"] = "PT6H"
        if self.keyed:
            entry["key"] = "cart_id"
        if self.capped:
            entry["cap"] = {"most": MOST, "per": "PT12H"}
        return entry


def document(name: str, entry: dict[str, Any], key: str | None) -> dict[str, Any]:
    branch = {"event": ENDED[name], "next": "done"} | ({"key": key} if key else {})
    hours = int(LASTS[name].total_seconds()) // 3600
    hold: dict[str, Any] = {"type": "hold", "id": "hold", "state": "not_activated", "branches": [branch]}
    hold["timeout"] = {"after": f"PT{hours}H", "next": "lost"}
    ends = [{"type": "exit", "id": "done", "state": "activated"}, {"type": "exit", "id": "lost", "state": "lost"}]
    return welcome(entry=entry, steps=[message("hello", next="hold"), hold, *ends])


@dataclass
class Stay:
    """One run as the model has it."""

    journey: str
    key: str
    entered: datetime
    left: datetime | None = None

    @property
    def due(self) -> datetime:
        return self.entered + LASTS[self.journey]


@dataclass
class Person:
    agreed: bool = True
    stays: list[Stay] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def live(self, journey: str) -> list[Stay]:
        return [stay for stay in self.stays if stay.journey == journey and stay.left is None]

    def pass_time(self, now: datetime, *, is_before: bool = False) -> None:
        for stay in self.stays:
            if stay.left is None and (stay.due < now or (stay.due == now and not is_before)):
                stay.left = stay.due

    def end(self, journey: str, key: str, now: datetime) -> None:
        for stay in self.live(journey):
            if stay.key == key:
                stay.left = now

    def begin(self, journey: str, cart: str | None, conditions: Conditions, now: datetime) -> None:
        keyed = journey == CART and conditions.keyed
        reason = self._objection(journey, cart if keyed else "", conditions, now)
        if reason is None:
            self.stays.append(Stay(journey, (cart or "") if keyed else "", now))
        else:
            self.refused.append((journey, reason))

    def _objection(self, journey: str, key: str | None, conditions: Conditions, now: datetime) -> str | None:
        if key is None:
            return "key_missing"
        before = [stay.entered for stay in self.stays if (stay.journey, stay.key) == (journey, key)]
        reentry = conditions.reentry if journey == CART else "always"
        recent = [stay for stay in self.stays if stay.journey == journey and stay.entered > now - SPAN]
        others = {name for name in BEGAN if name != journey and self.live(name)}
        checks = (
            ("already_live", any(stay.key == key for stay in self.live(journey))),
            ("not_again", reentry == "never" and bool(before)),
            ("not_yet", reentry == "after" and bool(before) and now < max(before, default=now) + AFTER),
            ("no_consent", not self.agreed),
            ("entry_cap", journey == CART and conditions.capped and len(recent) >= MOST),
            ("concurrency_cap", bool(conditions.at_once and others and not self.live(journey))),
        )
        return next((reason for reason, holds in checks if holds), None)


class Machine(Staged):
    @initialize(
        reentry=st.sampled_from(["never", "always", "after"]),
        keyed=st.booleans(),
        capped=st.booleans(),
        at_once=st.sampled_from([None, 1]),
    )
    def begin(self, reentry: str, keyed: bool, capped: bool, at_once: int | None) -> None:
        self.open_stage()
        self.conditions = Conditions(reentry, keyed, capped, at_once)
        Brand.objects.filter(pk=self.stage.brand.pk).update(journeys_at_once=at_once)
        self.stage.publish(document(CART, self.conditions.entry(), "cart_id" if keyed else None), CART)
        self.stage.publish(document(OTHER, {"event": BEGAN[OTHER], "reentry": "always"}, None), OTHER)
        self.people = {user: Person() for user in USERS}
        for user in USERS:
            self.stage.know(user)

    @rule(seconds=st.sampled_from(EXACTLY) | st.integers(1, 20 * 3600))
    def time_passes(self, seconds: int) -> None:
        until = self.stage.now + timedelta(seconds=seconds)
        while (due := self._next_due()) and due <= until:
            self.stage.now = due
            self.stage.run()
        self.stage.now = until
        self.stage.run()
        for person in self.people.values():
            person.pass_time(until)

    @rule(user=st.sampled_from(USERS), cart=st.sampled_from(["c1", "c1", "c2", None]))
    def a_cart_is_filled(self, user: str, cart: str | None) -> None:
        self._happen(user, BEGAN[CART], cart)
        self.people[user].begin(CART, cart, self.conditions, self.stage.now)
        self._settle()

    @rule(user=st.sampled_from(USERS), cart=st.sampled_from(["c1", "c2"]))
    def a_cart_is_paid(self, user: str, cart: str) -> None:
        self._happen(user, ENDED[CART], cart)
        self.people[user].end(CART, cart if self.conditions.keyed else "", self.stage.now)
        self._settle()

    @rule(user=st.sampled_from(USERS), name=st.sampled_from([BEGAN[OTHER], BEGAN[OTHER], ENDED[OTHER]]))
    def something_of_the_other_journey(self, user: str, name: str) -> None:
        self._happen(user, name, None)
        if name == BEGAN[OTHER]:
            self.people[user].begin(OTHER, None, self.conditions, self.stage.now)
        else:
            self.people[user].end(OTHER, "", self.stage.now)
        self._settle()

    @rule(user=st.sampled_from(USERS), agrees=st.booleans())
    def somebody_changes_their_mind(self, user: str, agrees: bool) -> None:
        self._pass_a_second()
        self.stage.happen("consent.granted" if agrees else "consent.withdrawn", user, properties={"purpose": "news"})
        self._settle()
        self.people[user].agreed = agrees

    @begun()
    @invariant()
    def the_engine_and_the_model_agree(self) -> None:
        for user, person in self.people.items():
            runs = Run.objects.filter(profile__identifier__value=user).order_by("id").select_related("journey")
            assert [(run.journey.key, run.entry_key, run.entered_at, run.ended_at) for run in runs] == [
                (stay.journey, stay.key, stay.entered, stay.left) for stay in person.stays
            ]
            names = {journey.pk: key for key, journey in self.stage.journeys.items()}
            profiles = Identifier.objects.filter(value=user).values("profile_id")
            refusals = EntryRefusal.objects.filter(profile_id__in=profiles).order_by("id")
            assert [(names[one.journey_id], one.reason) for one in refusals] == person.refused

    def _happen(self, user: str, name: str, cart: str | None) -> None:
        self._pass_a_second()
        self.stage.happen(name, user, properties={"cart_id": cart} if cart else {"page": "home"})

    def _pass_a_second(self) -> None:
        self.stage.now += timedelta(seconds=1)
        for person in self.people.values():
            person.pass_time(self.stage.now, is_before=True)

    def _settle(self) -> None:
        for person in self.people.values():
            person.pass_time(self.stage.now)

    def _next_due(self) -> datetime | None:
        return Run.objects.filter(status=1).order_by("due_at").values_list("due_at", flat=True).first()


@pytest.mark.django_db
def test_who_comes_in_is_who_the_model_lets_in() -> None:
    try_many(Machine, steps=16)
