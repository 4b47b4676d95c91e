"""P10: a unit that fails, kills, hangs or devours is given up after five attempts, and holds up nobody else."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from django.db import connection

from config.loop.checks import Check
from config.loop.killer import await_ready
from customers import dead_letters
from customers.attempts import MAX_ATTEMPTS
from customers.clock import utcnow
from customers.models import DeadLetter
from tests.promises.client import Client
from tests.promises.flow import Flow, drained, ends
from tests.promises.plan import Promise
from tests.promises.poisoned import TRIES
from tests.promises.stage import Stage

# What its dead letter says of it.
_REASONS: Final = {
    "raises": "LookupError",
    "kills": "worker died",
    "hangs": "worker died",
    "devours": "MemoryError",
    "is refused": "ProgramLimitExceeded (54000)",
    "is garbled": "JSONDecodeError",
}
_WORK_SECONDS: Final = 5
# Ten deaths fall into one minute of the quick tier, on two children that have nobody else to take their place.
_MOST_LATE: Final = 180
_SOON: Final = 60
_DRAIN_SECONDS: Final = 120.0
_CONTROL_SECONDS: Final = 30.0
# What is poison to the product as it is, put there by the database.
_SPOIL: Final = """
    CREATE FUNCTION lab_garble() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.identifiers := NEW.identifiers || '<'; RETURN NEW; END $$;
    CREATE TRIGGER lab_garble BEFORE INSERT ON customers_inbox FOR EACH ROW
        WHEN (NEW.message_id LIKE 'poison-is garbled-%') EXECUTE FUNCTION lab_garble();
    CREATE FUNCTION lab_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'too much' USING ERRCODE = '54000'; END $$;
    CREATE TRIGGER lab_refuse BEFORE INSERT ON customers_event FOR EACH ROW
        WHEN (NEW.message_id LIKE 'poison-is refused-%') EXECUTE FUNCTION lab_refuse();
"""
_MEND: Final = """
    DROP TRIGGER lab_garble ON customers_inbox;
    DROP TRIGGER lab_refuse ON customers_event;
    UPDATE customers_deadletter SET row = jsonb_set(row, '{identifiers}', to_jsonb(rtrim(row->>'identifiers', '<')))
"""
_LATE: Final = """
    SELECT count(*), count(*) FILTER (WHERE r.ended_at - c.event_received_at
        > make_interval(secs => %s + CASE WHEN r.state = 1 THEN 0 ELSE 5 END))
    FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id WHERE r.entry_key ~ '^[0-9]+$'
"""
_ENDED: Final = """
    SELECT count(*) FROM journeys_run WHERE entry_key LIKE 'poison-%' AND status = 2 AND state = 2
"""
_BEGUN: Final = "SELECT count(*) FROM journeys_run WHERE entry_key LIKE 'poison-%'"


def run(stage: Stage) -> Iterator[Check]:
    with connection.cursor() as cursor:
        cursor.execute(_SPOIL)
    tries = stage.logs / "tries"
    tries.touch()
    spoilt = {"TRILHA_LAB_FAULT": "poisoned", TRIES: str(tries), "WORK_SECONDS": str(_WORK_SECONDS)}
    stage.start_web(1)
    worker, _beat = stage.start_engine(spoilt), stage.start_beat()
    await_ready(worker)
    partner = stage.partner()
    patience = _CONTROL_SECONDS if stage.control else stage.size(600, 150)
    poison = [f"poison-{kind}-{number}" for number in range(stage.size(17, 1)) for kind in _REASONS]
    with Flow(stage, partner, per_second=stage.size(40, 20)) as flow:
        accepted = sum(_swallow(stage, partner, one) for one in poison)
        _until_given_up(len(poison), patience)
        stage.until(lambda: flow.units >= stage.size(20_000, 200), "enough of the sound ones", 900)
    left = drained(_CONTROL_SECONDS if stage.control else _DRAIN_SECONDS)

    yield Check("poison units accepted", len(poison), accepted)
    yield from _given_up(poison, tries)
    yield from ends(flow, _MOST_LATE)
    yield Check("  of a hundred, done within a minute", range(90, 101), _soon())
    yield Check("still waiting anywhere", {}, left)
    worker.stop()
    yield from _mended(stage, poison)


def _swallow(stage: Stage, partner: Client, one: str) -> bool:
    time.sleep(stage.chance.uniform(1, stage.size(8, 3)))
    # An id that holds the name of a person would not be kept as it is.
    who = one.replace("poison", "who")
    event = {"name": "unit.begun", "id": one, "identifiers": {"user_id": who}, "properties": {"unit": one}}
    reply = partner.post("/api/v1/events", event)
    return reply is not None and reply.status == 200


def _until_given_up(count: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while DeadLetter.objects.count() < count and time.monotonic() < until:
        time.sleep(0.2)


def _given_up(poison: Sequence[str], tries: Path) -> Iterator[Check]:
    letters = {letter.row["message_id"]: letter for letter in DeadLetter.objects.all()}
    yield Check("dead letters, one for each", len(poison), DeadLetter.objects.count())
    yield Check("  and for no sound unit", 0, len(letters.keys() - set(poison)))
    for kind, reason in _REASONS.items():
        ours = [letters[one] for one in poison if one in letters and one.startswith(f"poison-{kind}-")]
        yield Check(f"  that {kind}: {reason}", len(poison) // len(_REASONS), sum(one.reason == reason for one in ours))
    yield Check("  after five attempts", len(poison), sum(one.attempts == MAX_ATTEMPTS for one in letters.values()))
    begun = Counter(tries.read_text().splitlines())
    # Whoever was in a batch over which somebody died has one attempt against it, made in company.
    alone = sum(begun[one] in (MAX_ATTEMPTS - 1, MAX_ATTEMPTS) for one in poison)
    yield Check("  begun alone so often, but for one in company", len(poison), alone)


def _soon() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [_SOON])
        every, late = cursor.fetchone()
    return int(100 * (every - late) / max(every, 1))


def _mended(stage: Stage, poison: Sequence[str]) -> Iterator[Check]:
    """With what was at fault mended, each is done once, however often its letter is replayed."""
    with connection.cursor() as cursor:
        cursor.execute(_MEND)
    letters = list(DeadLetter.objects.values_list("id", flat=True))
    stage.start_engine()
    replayed = dead_letters.replay(letters, utcnow())
    again = dead_letters.replay(letters, utcnow())
    left = drained(_CONTROL_SECONDS if stage.control else _DRAIN_SECONDS)
    yield Check("replayed, once mended", len(poison), replayed)
    yield Check("  replayed again", 0, again)
    yield Check("  done", len(poison), stage.count(_ENDED))
    yield Check("  done twice", 0, stage.count(_BEGUN) - len(poison))
    yield Check("  still waiting anywhere", {}, left)


PROMISE = Promise(
    "P10",
    "What fails, kills, hangs or devours is given up after five attempts, and holds up nobody",
    run,
    controls=("attempts counted after the work",),
    code=(
        "customers/work.py",
        "customers/attempts.py",
        "customers/limit.py",
        "customers/dead_letters.py",
        "customers/resolve/",
        "config/",
    ),
    minutes=20,
)
