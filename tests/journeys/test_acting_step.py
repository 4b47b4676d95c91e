"""A step type of one file: it acts when its time is up, goes on by what came of it, and is simulated, by no list."""

import gc
import json
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import pytest

from customers.authoring.describe import struct_fields
from customers.hints import form
from journeys.code.cases import run_cases
from journeys.code.file import read
from journeys.compiling import version
from journeys.models import Cause, Run
from journeys.steps.base import Answer, Go, Here, Outcome, Step, Wait, step_types
from tests.journeys.stage import Stage, welcome

if TYPE_CHECKING:
    from journeys.engine.acting import Batch
    from journeys.simulation.moment import Moment

SEATS = "test_seats"


def make_seat() -> type[Step]:
    """A step that gives the first so many a seat, and leads all others elsewhere."""

    class Seat(Step, tag_field="type", tag="seat", kw_only=True, forbid_unknown_fields=True):
        waits: ClassVar[bool] = True
        acts: ClassVar[bool] = True
        holds_customer: ClassVar[bool] = True

        seats: int
        next: Annotated[str, form("then go to", refers="step")]
        full: Annotated[str, form("else go to", refers="step")]

        def targets(self) -> list[str]:
            return [self.next, self.full]

        def at_once(self) -> list[str]:
            return self.targets()

        def enter(self, here: Here) -> Outcome:
            return Wait(here.now)

        @classmethod
        def act(cls, batch: "Batch") -> Mapping[int, Answer]:
            batch.cursor.execute(f"CREATE TABLE IF NOT EXISTS {SEATS} (run_id bigint)")
            row = batch.cursor.execute(f"SELECT count(*) FROM {SEATS}").fetchone()
            taken, answers = row[0] if row else 0, dict[int, Answer]()
            for run in batch.runs:
                step = run.version.steps[run.step]
                assert isinstance(step, cls)
                answers[run.id] = step.seated(taken), None
                if taken < step.seats:
                    batch.cursor.execute(f"INSERT INTO {SEATS} VALUES (%b)", [run.id])
                    taken += 1
            return answers

        def suppose(self, moment: "Moment") -> Outcome:
            taken = moment.kept.get(SEATS, 0)
            moment.kept[SEATS] = taken + 1
            return self.seated(taken)

        def seated(self, taken: int) -> Go:
            return Go(self.next, Cause.CONTINUED) if taken < self.seats else Go(self.full, Cause.OTHERWISE)

    return Seat


@pytest.fixture(autouse=True)
def seat() -> Iterator[None]:
    held = [make_seat()]
    yield
    # The type goes as it came, before another test counts them.
    held.clear()
    version.cache_clear()
    struct_fields.cache_clear()
    forget_unions()
    gc.collect()
    assert "seat" not in step_types()


def forget_unions() -> None:
    """Of the types in a union typing keeps some, and msgspec those of the last 64."""
    for forget in typing._cleanups:  # type: ignore[attr-defined]  # as CPython's own tests do
        forget()
    for n in range(64):
        one, other = (msgspec.defstruct(f"Other{n}", [], tag=f"{n}{side}") for side in "ab")
        msgspec.convert({"type": f"{n}a"}, one | other)


def document(seats: int) -> dict[str, Any]:
    step = {"type": "seat", "id": "seat", "state": "not_activated", "seats": seats, "next": "done", "full": "lost"}
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test", "reentry": "always"}
    return welcome(entry=entry, steps=[step, *welcome()["steps"][3:]])


@pytest.mark.django_db
def test_it_acts_for_the_runs_of_a_batch_and_leads_each_where_that_leads(stage: Stage) -> None:
    stage.publish(document(2))
    for user in ("ana", "bia", "caio"):
        stage.accept("customer.signed_up", user)
    stage.run()
    ways = [stage.steps_of(run) for run in stage.runs()]
    assert ways == [["seat", "done"], ["seat", "done"], ["seat", "lost"]]
    assert {run.status for run in stage.runs()} == {Run.Status.COMPLETED}


def case(seats: int, **then: Any) -> list[str]:
    begins = {"event": "customer.signed_up"}
    told = {"name": "a case", "when": [begins, {"at": "PT1H", **begins}], "then": [{"after": "PT2H", **then}]}
    file = {"key": "seats", "name": "Seats", "definition": document(seats), "cases": [told]}
    return [str(one) for one in run_cases(read(json.dumps(file)))]


def test_a_case_supposes_what_would_come_of_it() -> None:
    assert case(1, entered=2, path=["seat", "lost"]) == []
    assert case(2, entered=2, path=["seat", "done"]) == []
    assert case(1, path=["seat", "done"]) != []
