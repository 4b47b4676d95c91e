"""Events that are let pass, since no live run of their customer knows their name, beside changeovers and merges: what
comes of it all is what would if every event were looked at under lock.

`let_pass=False` is the product without that short cut. FULL=1 tries 2,000 sequences.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import example, given
from hypothesis import strategies as st

from customers import merging
from customers.models import Identifier, Profile
from customers.resolve import resolve_inbox
from customers.work import work_once
from journeys.changeover import PlanRow
from journeys.engine import changeovers, match, merges, passing, recheck
from journeys.engine.drain import STAGES
from journeys.engine.match import match_events
from journeys.models import Run
from journeys.publish import publish
from tests.journeys.sequences import rolled_back, usual
from tests.journeys.stage import Stage, make_stage, welcome

SIGN_UP, LOG_IN, ORDER, LEFT = "customer.signed_up", "login.succeeded", "order.completed", "customer.left"
ENTRY = {"event": SIGN_UP, "reentry": "always", "guard": "none", "guard_reason": "test"}
ANA, PAGE = "ana", "page"
PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
# What the first version awaits and what the second does: to each the other's is nothing.
AWAITED = {1: LOG_IN, 2: ORDER}


def document(number: int, **hold: Any) -> dict[str, Any]:
    """Hold until the version's own event, or for a day; the second version has exits beside, by event and by rule."""
    branch = {"event": AWAITED[number], "next": "done"}
    step = {"type": "hold", "id": "hold", "state": "not_activated", "branches": [branch]}
    steps = [step | {"timeout": {"after": "P1D", "next": "lost"}} | hold, *welcome()["steps"][3:]]
    exits = [{"event": LEFT, "state": "lost"}] if number == 2 else []
    rules = [{"rule": PRO, "state": "lost"}] if number == 2 else []
    return welcome(entry=ENTRY, steps=steps, exit_events=exits, exit_rules=rules)


def say(stage: Stage, name: str, who: str, **traits: Any) -> None:
    """Accepted and resolved, and no more."""
    if who == ANA:
        stage.accept(name, ANA, traits=traits)
    else:
        stage.accept(name, "", anonymous_id=PAGE, traits=traits)
    resolve_inbox(stage.now)


def profile(who: str) -> UUID:
    return Identifier.objects.get(value=who, closed_at=None).profile_id


def unite(stage: Stage) -> None:
    merging.join(profile(ANA), profile(PAGE), merging.decide.decision(stage.brand.pk, 1, "test", stage.now))


def part(stage: Stage) -> None:
    merging.split([profile(PAGE)], merging.decide.decision(stage.brand.pk, 1, "test", stage.now))


def publish_second(stage: Stage, plan: Sequence[PlanRow], **hold: Any) -> None:
    publish(stage.journeys["welcome"], document(2, **hold), by=None, now=stage.now, plan=plan)


# --- in any order, stage by stage -----------------------------------------------------------------------------

Deed = tuple[str, Any]
DEEDS = st.one_of(
    st.tuples(st.just("say"), st.tuples(st.sampled_from([SIGN_UP, LOG_IN, ORDER, LEFT]), st.sampled_from([ANA, PAGE]))),
    st.tuples(st.just("tell"), st.tuples(st.sampled_from(["pro", "free"]), st.sampled_from([ANA, PAGE]))),
    st.tuples(st.just("work"), st.integers(0, len(STAGES) - 1)),
    st.tuples(st.just("work"), st.just(STAGES.index(match.QUEUE))),
    st.tuples(st.just("hours"), st.sampled_from([1, 23])),
    st.tuples(st.sampled_from(["publish", "unite", "part", "settle"]), st.none()),
)
PLANS = st.builds(
    PlanRow,
    version=st.just(1),
    step=st.just("hold"),
    then=st.just("move"),
    to=st.just("hold"),
    wait=st.sampled_from(["go_on", "anew"]),
) | st.builds(PlanRow, version=st.just(1), step=st.just("hold"), then=st.sampled_from(["stay", "exit"]))
HOLDS = st.fixed_dictionaries({"since": st.sampled_from(["entry", "step"]), "take": st.sampled_from(["first", "best"])})


class Play:
    """What is done to one stage, and what comes of it."""

    def __init__(self, stage: Stage, row: PlanRow, hold: dict[str, Any]) -> None:
        self.stage, self._row, self._hold = stage, row, hold
        self._is_second = self._is_united = False
        stage.publish(document(1, **hold))
        for who in (ANA, PAGE):
            say(stage, "page.seen", who)
            say(stage, SIGN_UP, who)
        stage.run()

    def do(self, what: str, about: Any) -> None:
        stage = self.stage
        # Two things never happen at one moment here: which was first is what tells them apart.
        stage.now += stage.now.resolution * 1000
        if what == "say":
            say(stage, *about)
        elif what == "tell":
            say(stage, "identify", about[1], plan=about[0])
        elif what == "work":
            work_once(STAGES[about], stage.now)
        elif what == "hours":
            stage.pass_time(hours=about)
        elif what == "settle":
            stage.run()
        elif what == "publish" and not self._is_second:
            self._is_second = True
            publish_second(stage, [self._row], **self._hold)
        elif what == "unite" and not self._is_united:
            self._is_united = True
            unite(stage)
        elif what == "part" and self._is_united:
            self._is_united = False
            part(stage)

    def outcome(self) -> list[Any]:
        self.stage.run()
        # Whoever was moved late is looked for once more; and nobody waits for longer than two days.
        self.stage.pass_time(minutes=2)
        now = [self._told(run) for run in self.stage.runs()]
        self.stage.pass_time(days=2)
        return [*now, *(self._told(run) for run in self.stage.runs())]

    def _told(self, run: Run) -> tuple[Any, ...]:
        who = Identifier.objects.get(profile=run.profile_id).value
        home = Profile.objects.get(pk=run.profile_id).customer_id
        moves = self.stage.steps_of(run)
        return who, home == run.customer_id, run.version.number, run.status, run.state, run.due_at, run.ended_at, moves


def played(deeds: Sequence[Deed], row: PlanRow, hold: dict[str, Any], *, let_pass: bool) -> list[Any]:
    with rolled_back() as stage:
        # Without the short cut whatever comes is looked at, with its customer locked.
        statement = passing._TAKE
        if not let_pass:
            for condition in (passing.KNOWN, passing.CONCERNED):
                assert condition in statement
                statement = statement.replace(condition, "true")
        with patch.object(passing, "_TAKE", statement):
            play = Play(stage, row, hold)
            for what, about in deeds:
                play.do(what, about)
            return play.outcome()


MOVE = PlanRow(version=1, step="hold", then="move", to="hold")
FIRST = {"since": "entry", "take": "first"}
_WORK: dict[str, Deed] = {queue.name: ("work", n) for n, queue in enumerate(STAGES)}


@pytest.mark.django_db
@usual()
@given(deeds=st.lists(DEEDS, min_size=3, max_size=12), row=PLANS, hold=HOLDS)
# The order is nobody's until the run is moved, and until the page is hers.
@example(deeds=[("publish", None), ("say", (ORDER, ANA)), _WORK["match"]], row=MOVE, hold=FIRST)
@example(deeds=[("say", (LOG_IN, PAGE)), _WORK["match"], ("unite", None)], row=MOVE, hold=FIRST)
@example(deeds=[("publish", None), ("tell", ("pro", ANA)), _WORK["match"]], row=MOVE, hold=FIRST)
# In one batch she comes in, is done by what she does, and so comes in once more.
@example(
    deeds=[("hours", 23), ("hours", 1), ("say", (SIGN_UP, ANA)), ("say", (LOG_IN, ANA)), ("say", (SIGN_UP, ANA))],
    row=MOVE,
    hold=FIRST,
)
@example(
    deeds=[("publish", None), ("say", (LEFT, PAGE)), ("unite", None), _WORK["match"], _WORK["changeover"]],
    row=MOVE,
    hold=FIRST,
)
def test_what_is_let_pass_would_have_done_nothing(deeds: list[Deed], row: PlanRow, hold: dict[str, Any]) -> None:
    assert played(deeds, row, hold, let_pass=True) == played(deeds, row, hold, let_pass=False)


# --- in the midst of a batch ----------------------------------------------------------------------------------


@pytest.fixture
def waiting(transactional_db: None) -> Stage:
    """Ana waits by the first version for a log-in; of the page nothing is known but that it was seen."""
    stage = make_stage()
    stage.publish(document(1))
    say(stage, SIGN_UP, ANA)
    say(stage, "page.seen", PAGE)
    stage.run()
    stage.pass_time(hours=1)
    return stage


@contextmanager
def once_at(point: str, deed: Callable[[], object]) -> Iterator[None]:
    """Have the deed done and committed by somebody else as the batch comes by there for the first time."""
    reached, done = getattr(match, point), list[bool]()

    def aside() -> None:
        with transaction.atomic():
            deed()
        connection.close()

    def interrupted(*arguments: Any) -> Any:
        if not done:
            done.append(True)
            thread = threading.Thread(target=aside)
            thread.start()
            thread.join(30)
            assert not thread.is_alive(), "it waits for the batch"
        return reached(*arguments)

    with patch.object(match, point, interrupted):
        yield
    assert done


def deed_of(what: str, stage: Stage) -> Callable[[], object]:
    """Prepare all but the last of it, and say the event; what is left to be done meanwhile."""
    if what == "changeover":
        publish_second(stage, [MOVE])
        say(stage, ORDER, ANA)
        return partial(work_once, changeovers.QUEUE, stage.now)
    say(stage, LOG_IN, PAGE)
    if what == "merge":
        return partial(unite, stage)

    def unite_and_follow() -> None:
        unite(stage)
        work_once(merges.QUEUE, stage.now)

    if what == "merge and follow":
        return unite_and_follow
    unite(stage)
    return partial(work_once, merges.QUEUE, stage.now)


POINTS = ("live_entries", "take", "_left")
WHATS = ("changeover", "merge", "merge and follow", "follow")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("what", WHATS)
def test_whatever_is_done_in_the_midst_of_a_batch_the_run_hears_of_it(waiting: Stage, what: str, point: str) -> None:
    deed = deed_of(what, waiting)
    with once_at(point, deed):
        match_events(waiting.now)
    waiting.run()
    run = waiting.the_run()
    assert (run.status, run.version.number) == (Run.Status.COMPLETED, 2 if what == "changeover" else 1)
    assert waiting.steps_of(run)[-1] == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["changeover", "merge and follow"])
def test_control_without_looking_back_it_does_not(waiting: Stage, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deed = deed_of(what, waiting)
    with once_at("_left", deed):
        match_events(waiting.now)
    monkeypatch.setattr(recheck, "glance", lambda cursor, run_ids, now: [])
    waiting.run()
    assert waiting.the_run().status == Run.Status.ACTIVE
