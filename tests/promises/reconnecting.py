"""P9: a database that restarts, throws everybody out or stands still: all go on by themselves, and nothing is lost."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from math import ceil

import psycopg
from django.db import connections

from config.loop.checks import Check
from config.loop.killer import await_ready, children_of
from customers.models import Event
from tests.promises.client import Client
from tests.promises.flow import Flow, drained, ends
from tests.promises.plan import Promise
from tests.promises.stage import DATABASE, Stage

_RECONNECTED = 30
_MOST_LATE = 60
_DRAIN_SECONDS = 120.0
_THROW_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


def run(stage: Stage) -> Iterator[Check]:
    web, worker, beat = stage.start_web(2), stage.start_engine(), stage.start_beat()
    await_ready(worker)
    partner = stage.partner()
    faults = ["thrown out"] * stage.size(50, 4) + ["killed"] * stage.size(30, 1) + ["paused"] * stage.size(10, 1)
    stage.chance.shuffle(faults)
    seconds: list[float] = []
    with Flow(stage, partner, per_second=40) as flow:
        for number, fault in enumerate(faults):
            time.sleep(stage.chance.uniform(0.2, 1))
            _do(stage, fault)
            seconds.append(_seconds_until_it_works(partner, f"probe-{number}"))
            if seconds[-1] > _RECONNECTED:
                break
    left = drained(_DRAIN_SECONDS if len(seconds) == len(faults) else 5)

    yield Check("times the database was away", len(faults), len(seconds))
    most = ceil(max(seconds))
    yield Check("  until an event was accepted and stored again, so many seconds", range(_RECONNECTED + 1), most)
    yield Check("processes that are alive, none restarted", 3, sum(one.is_alive() for one in (web, worker, beat)))
    yield from ends(flow, _MOST_LATE)
    yield Check("still waiting anywhere", {}, left)
    # Of six times quickly over it may be that none hit a call.
    some = stage.size(1, 0)
    yield Check("calls that were asked again, and did no more for it", range(some, 10**6), flow.asked_again)


def _do(stage: Stage, fault: str) -> None:
    if fault == "killed":
        stage.servers.kill(stage.servers.postgres)
    elif fault == "paused":
        _pause(stage, stage.size(20, 3))
    else:
        with psycopg.connect(stage.servers.url, autocommit=True) as beside:
            beside.execute(_THROW_OUT, [DATABASE])
    connections.close_all()


def _pause(stage: Stage, seconds: float) -> None:
    postmaster = int(stage.servers.postgres.pid_file.read_text())
    stopped = [postmaster]
    try:
        os.kill(postmaster, signal.SIGSTOP)
        for child in children_of(postmaster):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
                stopped.append(child)
        time.sleep(seconds)
    finally:
        for one in stopped:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)


def _seconds_until_it_works(partner: Client, id_: str) -> float:
    """From the event that is sent now, as often as it takes, until it is stored; not much longer than allowed."""
    began = time.monotonic()
    event = {"name": "Probe", "id": id_, "identifiers": {"user_id": "who-looks"}}
    is_accepted = False
    while (passed := time.monotonic() - began) <= _RECONNECTED:
        if not is_accepted:
            reply = partner.post("/api/v1/events", event)
            is_accepted = reply is not None and reply.status == 200
        elif Event.objects.filter(message_id=id_).exists():
            break
        time.sleep(0.05)
    return passed


PROMISE = Promise(
    "P9",
    "A database that restarts is found again within 30 seconds, and nothing is lost or done twice",
    run,
    controls=("connections are kept, alive or not",),
    code=(
        "config/settings.py",
        "config/sweeps.py",
        "config/celery.py",
        "customers/work.py",
        "customers/attempts.py",
        "customers/api/",
    ),
    minutes=25,
)
