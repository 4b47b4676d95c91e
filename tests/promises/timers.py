"""P11: timers fire once, never early, soon in health; those that an outage made late fire once too, and what they
would have said is not said when it is too late for it."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import connection, connections

from config.loop.checks import Check
from config.loop.killer import await_ready
from config.processes import Process
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Cause, Journey
from journeys.publish import publish
from tests.promises.client import Client
from tests.promises.deaths import Deaths, lives
from tests.promises.letters import Letters
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_SOON: Final = 5
_MOST_LATE: Final = 60
_BATCH: Final = 100
_PATIENCE_SECONDS: Final = 120.0
_CONTROL_SECONDS: Final = 20.0
# So long were the workers away, for the one half and for the other; a word is worth saying for an hour.
_AWAY: Final = ("2 hours", "20 minutes")
_TIMER: Final[dict[str, Any]] = {
    "purpose": "timers",
    "states": [{"name": "waits", "kind": "initial"}, {"name": "over", "kind": "success"}],
    "transitions": [["waits", "over"]],
    "entry": {"event": "timer.set", "key": "timer", "reentry": "always", "guard": "none",
              "guard_reason": "Nothing is sent."},
    # Whoever fires a timer a second time fires the next one, long before its time.
    "steps": [
        {"id": "first", "type": "delay", "state": "waits", "after": "PT5H", "next": "second"},
        {"id": "second", "type": "delay", "state": "waits", "after": "PT5H", "next": "over"},
        {"id": "over", "type": "exit", "state": "over"},
    ],
}  # fmt: skip
_WORD: Final[dict[str, Any]] = {
    **_TIMER,
    "entry": {"event": "word.kept", "reentry": "always"},
    "steps": [
        {"id": "first", "type": "delay", "state": "waits", "after": "PT5H", "next": "say"},
        {"id": "say", "type": "message", "state": "waits", "channel": "email", "connector": "mail",
         "template": "hint", "not_later_than": "PT1H", "next": "over"},
        {"id": "over", "type": "exit", "state": "over"},
    ],
}  # fmt: skip
_TABLE: Final = "CREATE TABLE lab_timer (run_id bigint PRIMARY KEY, phase text, due_at timestamptz)"
# The runs that wait and have no turn yet are due when the phase says; `spread` is over how many seconds.
_TURN: Final = """
    WITH turned AS (
        INSERT INTO lab_timer SELECT r.id, %(phase)s,
            now() - %(ago)s::interval + make_interval(secs => random() * %(spread)s)
        FROM journeys_run r JOIN journeys_journey j ON j.id = r.journey_id
        WHERE j.key = %(journey)s AND NOT EXISTS (SELECT 1 FROM lab_timer l WHERE l.run_id = r.id)
        ORDER BY r.id LIMIT %(count)s RETURNING run_id, due_at
    )
    UPDATE journeys_run r SET due_at = turned.due_at FROM turned WHERE turned.run_id = r.id
"""
# By when it was committed, which the lab's PostgreSQL keeps, and not by when somebody says it was.
_FIRED: Final = """
    SELECT count(DISTINCT l.run_id), count(t.seq), count(*) FILTER (WHERE least(t.at, t.committed) < l.due_at),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM t.committed - l.due_at)),
           max(extract(epoch FROM t.committed - l.due_at))
    FROM lab_timer l JOIN (
        SELECT run_id, seq, at, pg_xact_commit_timestamp(xmin) AS committed FROM journeys_transition WHERE cause = %s
    ) t ON t.run_id = l.run_id WHERE l.phase = %s
"""
_WAITING: Final = """
    SELECT count(*) FROM lab_timer l WHERE NOT EXISTS (
        SELECT 1 FROM journeys_transition t WHERE t.run_id = l.run_id AND t.cause = 4
    )
"""
_MESSAGES: Final = """
    SELECT count(*) FROM channels_message m JOIN lab_timer l ON l.run_id::text = m.origin_id
    WHERE l.phase = %s AND m.state = %s
"""


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(1)
    workers = [stage.start_engine(name=f"engine-{number}") for number in range(2)]
    letters = Letters(stage)
    _publish(stage)
    for worker in workers:
        await_ready(worker)
    partner = stage.partner()
    healthy, killed, late = stage.size(40_000, 1_000), stage.size(10_000, 300), stage.size(2_500, 100)
    words = stage.size(100, 10)
    _set(partner, "timer.set", healthy + killed + 2 * late)
    _set(partner, "word.kept", 2 * words)
    stage.until(lambda: _parked() == healthy + killed + 2 * (late + words), "the timers to be set", 600)

    spread = stage.size(480, 15)
    _turn("timers", "in health", healthy, spread=spread)
    _until_fired(stage, spread)
    yield from _fired("in health", healthy, soon=_SOON)

    spread = stage.size(240, 10)
    _turn("timers", "while workers are killed", killed, spread=spread)
    with Deaths(stage, workers, lives(stage.size(100, 3))) as deaths:
        deaths.wait()
    _until_fired(stage, spread)
    yield Check("workers and children killed", sum(deaths.planned.values()), sum(deaths.counts.values()))
    yield from _fired("while workers are killed", killed, most=_MOST_LATE)
    yield from _after_an_outage(stage, workers, letters, late, words)
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


def _publish(stage: Stage) -> None:
    Purpose.objects.create(brand=stage.brand, key="timers", name="Timers", kind=Purpose.Kind.SERVICE)
    for key, document in (("timers", _TIMER), ("words", _WORD)):
        publish(Journey.objects.create(brand=stage.brand, key=key, name=key), document, by=None, now=utcnow())
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)


def _set(partner: Client, name: str, count: int) -> None:
    events: list[dict[str, Any]] = []
    for number in range(count):
        who = {"user_id": f"{name}-{number}"}
        if name == "word.kept":
            mailbox = {"email": f"mailbox-{number}@people.example.com"}
            events.append({"type": "identify", "id": f"known-{number}", "identifiers": {**who, **mailbox}})
        properties = {"timer": str(number)}
        events.append({"name": name, "id": f"{name[:4]} {number}", "identifiers": who, "properties": properties})
    for start in range(0, len(events), _BATCH):
        partner.post("/api/v1/events/batch", {"events": events[start : start + _BATCH]})


def _parked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journeys_run WHERE status = 1 AND due_at > now()")
        return int(cursor.fetchone()[0])


def _turn(journey: str, phase: str, count: int, *, spread: int = 0, ago: str = "-3 seconds") -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TURN, {"journey": journey, "phase": phase, "count": count, "spread": spread, "ago": ago})


def _until_fired(stage: Stage, spread: int) -> None:
    until = time.monotonic() + spread + (_CONTROL_SECONDS if stage.control else _PATIENCE_SECONDS)
    while stage.count(_WAITING) and time.monotonic() < until:
        time.sleep(0.2)
    if stage.control:
        # Who fires a second time is given the time to.
        time.sleep(2)


def _fired(phase: str, count: int, *, soon: int = 0, most: int = 0) -> Iterator[Check]:
    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute(_FIRED, [int(Cause.TIMER), phase])
        fired, times, early, late, latest = cursor.fetchone()
    yield Check(f"timers {phase}, fired", count, fired)
    yield Check("  twice", 0, times - fired)
    yield Check("  early", 0, early)
    if soon:
        yield Check("  99 of 100 late by so many ms at most", range(soon * 1000), round(1000 * (late or 0)))
    if most:
        yield Check("  late by so many seconds at most", range(most + 1), round(latest or 0))


def _after_an_outage(
    stage: Stage, workers: Sequence[Process], letters: Letters, late: int, words: int
) -> Iterator[Check]:
    for worker in workers:
        worker.stop()
    for ago in _AWAY:
        _turn("timers", f"due {ago} ago", late, ago=ago)
        _turn("words", f"to be said {ago} ago", words, ago=ago)
    for worker in workers:
        worker.start()
        stage.keeper.keep(worker.pid)
    for worker in workers:
        await_ready(worker)
    began = time.monotonic()
    _until_fired(stage, 0)
    passed = round(time.monotonic() - began)
    for ago in _AWAY:
        yield from _fired(f"due {ago} ago", late)
        yield from _fired(f"to be said {ago} ago", words)
    yield Check("seconds with workers again until all that were overdue had fired", range(_MOST_LATE + 1), passed)
    too_late, in_time = (f"to be said {ago} ago" for ago in _AWAY)
    until = time.monotonic() + _CONTROL_SECONDS
    while len(letters.arrived()) < words and time.monotonic() < until:
        time.sleep(0.2)
    yield Check("words that were not too late, sent", words, _messages(in_time, "sent"))
    yield Check("words that were, expired", words, _messages(too_late, "expired"))
    yield Check("letters that arrived", words, sum(letters.arrived().values()))


def _messages(phase: str, state: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, [phase, state])
        return int(cursor.fetchone()[0])


PROMISE = Promise(
    "P11",
    "Timers fire once, never early, and soon; what an outage made too late is not said any more",
    run,
    controls=("timers fire unlooked at",),
    code=("journeys/engine/", "journeys/steps/", "customers/work.py", "customers/attempts.py", "config/sweeps.py"),
    minutes=25,
)
