"""P7: a broker that loses its memory, is away or swallows everything loses no work and delays none by a minute."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.loop.checks import Check
from config.loop.killer import await_ready
from tests.promises.flow import Flow, drained, ends, percentile_ms
from tests.promises.gate import Gate
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_MOST_LATE = 60
_DRAIN_SECONDS = 120.0


def run(stage: Stage) -> Iterator[Check]:
    with Gate(stage.servers.broker_url) as gate:
        stage.broker_url = gate.url
        stage.start_web(2)
        worker = stage.start_engine()
        stage.start_beat()
        await_ready(worker)
        wipes, pause = stage.size(50, 5), stage.size(5, 1)
        with Flow(stage, stage.partner(), per_second=stage.size(50, 60)) as flow:
            forgotten = [_forget(stage, pause) for _wipe in range(wipes)]
            healthy = list(flow.seconds)
            stage.servers.valkey.stop()
            time.sleep(stage.size(120, 3))
            stage.servers.valkey.ensure()
            gate.block()
            time.sleep(stage.size(60, 3))
            troubled = flow.seconds[len(healthy) :]
            gate.unblock()
        left = drained(_DRAIN_SECONDS)

    yield Check("times the broker lost its memory", wipes, sum(forgotten))
    yield from ends(flow, _MOST_LATE)
    yield Check("still waiting anywhere", {}, left)
    yield Check("calls asked again", 0, flow.asked_again)
    # What is promised is half a second; on a machine that is busy otherwise, no more than twice what calls take anyway.
    most = max(500, 2 * percentile_ms(healthy, 0.99))
    yield Check(
        "calls while there was no broker, 99 of 100 within so many ms", range(most), percentile_ms(troubled, 0.99)
    )


def _forget(stage: Stage, pause: float) -> bool:
    time.sleep(pause)
    with socket.socket(socket.AF_UNIX) as broker:
        broker.connect(urlsplit(stage.servers.broker_url).path)
        broker.sendall(b"FLUSHALL\r\n")
        return broker.recv(64).startswith(b"+OK")


PROMISE = Promise(
    "P7",
    "A broker that loses its memory loses no work, and delays none by more than a minute",
    run,
    controls=("work only in the broker",),
    code=("config/bells.py", "config/sweeps.py", "config/celery.py", "customers/bells.py", "customers/accept/"),
    minutes=12,
)
