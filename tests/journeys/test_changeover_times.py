"""How long somebody who is moved waits, whatever the two waits are: held against what a person would reckon."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from customers.rules import Facts
from journeys.changeover import PlanRow
from journeys.code.cases import unbound
from journeys.code.file import JourneyFile
from journeys.engine.changeovers import put
from journeys.engine.runs import RunState
from journeys.engine.walk import Moved
from journeys.engine.write import Work
from journeys.models import Cause, Run
from journeys.moves import KEEPS_MESSAGES, WAIT_ANEW
from journeys.version import Version
from tests.journeys.stage import T0, message, welcome

minutes = st.integers(1, 20_000).map(lambda count: timedelta(minutes=count))


def waiting_for(span: timedelta, id_: int, steps_before: int) -> Version:
    """A version whose hold lasts so long, with some messages before it that shift the numbers of steps."""
    document: dict[str, Any] = welcome()
    hold = document["steps"][1] | {"timeout": {"after": f"PT{int(span.total_seconds())}S", "next": "remind"}}
    names = [*(f"m{n}" for n in range(steps_before)), "hold"]
    before = [message(name, next=names[n + 1]) for n, name in enumerate(names[:-1])]
    steps = [*before, hold, *document["steps"][2:]]
    version = unbound(JourneyFile(key="welcome", name="welcome", definition=welcome(steps=steps)))
    version.id = id_
    return version


@given(
    before=minutes,
    after=minutes,
    waited=minutes,
    added=st.just(timedelta()) | minutes,
    shift=st.integers(0, 3),
    is_anew=st.booleans(),
    keeps=st.booleans(),
)
def test_the_wait_is_counted_from_the_arrival_and_ends_not_before_the_move(
    before: timedelta, after: timedelta, waited: timedelta, added: timedelta, shift: int, is_anew: bool, keeps: bool
) -> None:
    old, new = waiting_for(before, 1, 1), waiting_for(after, 2, shift)
    step, now, due = old.index["hold"], T0 + waited, T0 + before + added
    person = UUID(int=7)
    run = RunState(9, old, person, person, "", int(Run.Status.ACTIVE), step, old.state_of[step], 4, step, T0, T0, due)
    row = PlanRow(
        version=1,
        step="hold",
        then="move",
        to="hold",
        wait="anew" if is_anew else "go_on",
        messages="keep" if keeps else "cancel",
    )
    work = Work()
    put(run, row, new, Facts(), now, work)
    if is_anew:
        expected = now + after
    elif before == after:
        expected = due
    else:
        expected = max(T0 + after + added, now)
    assert (run.due_at, run.stepped_at) == (expected, now if is_anew else T0)
    assert (run.version, run.step, run.state, run.seq) == (new, shift, new.state_of[shift], 5)
    assert run.timed_out_step == shift
    said = (WAIT_ANEW if is_anew else 0) + (KEEPS_MESSAGES if keeps else 0)
    assert work.moves == [Moved(run, 5, step, shift, run.state, Cause.MOVED, said, None, version_from=1)]
    assert (work.parked, work.ended, work.sends) == ([run], [], [])
