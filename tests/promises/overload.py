"""P6: too much is said before anything is taken; what was taken stays."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.loop.checks import Check
from config.loop.killer import children_of
from config.processes import Process
from customers import keys
from customers.models import Source
from tests.promises.client import Client, Reply, basic, in_parallel
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_CLIENTS = 8
_BATCH = 100
_LIMIT = 4_000
# What several processes may take in the second for which they believe what they read last.
_MOST_WAITING = 4 * _LIMIT
_CALLS_A_MINUTE = 40
# Until then a process has not had all it keeps: imported what it calls, and a body of each client at once.
_WARM_SECONDS = 3.0


def run(stage: Stage) -> Iterator[Check]:
    web = stage.start_web(2, {"INBOX_LIMIT": str(_LIMIT)})
    flood = _Flood(stage, web)
    # First with nobody to work it off, then with workers that cannot keep up.
    flood.pour(stage.size(60, 5), until_offered=8 * _LIMIT)
    stage.start_engine()
    flood.pour(stage.size(60, 5), until_offered=0)
    poured = time.monotonic()
    stage.until(lambda: stage.count("SELECT count(*) FROM customers_inbox") == 0, "the inbox to be worked off")
    accepts = stage.partner().post("/api/v1/events", {"name": "After", "identifiers": {"user_id": "after"}})
    recovered = time.monotonic() - poured

    yield Check("calls", sum(flood.answers.values()), sum(flood.calls.values()))
    yield Check("  accepted", range(1, flood.total + 1), flood.answers["accepted"])
    yield Check("  refused as too much, with Retry-After", range(1, flood.total + 1), flood.answers["overloaded"])
    yield Check("  anything else", {}, flood.others())
    stored = stage.count("SELECT count(*) FROM customers_event WHERE name = 'Poured'")
    yield Check("events accepted and stored", flood.events, stored)
    yield Check("times as much offered as was taken", range(2, 10_000), flood.total * _BATCH // max(1, flood.events))
    yield Check("most that waited", range(_LIMIT, _MOST_WAITING + 1), flood.most_waiting)
    yield Check("memory of the web server, % of what it was when warm", range(121), flood.growth)
    yield Check("seconds until all was worked off and more was taken", range(60), round(recovered))
    yield Check("  taken", True, accepts is not None and accepts.status == 200)
    yield from _by_the_minute(stage)


@dataclass(slots=True)
class _Flood:
    """As much as the clients can send, and what was answered."""

    stage: Stage
    web: Process
    answers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    events: int = 0
    most_waiting: int = 0
    warm: int = 0
    largest: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def total(self) -> int:
        return self.calls["made"]

    @property
    def growth(self) -> int:
        return round(100 * self.largest / self.warm)

    def others(self) -> dict[str, int]:
        return {what: n for what, n in self.answers.items() if what not in ("accepted", "overloaded")}

    def pour(self, seconds: float, until_offered: int) -> None:
        partner = self.stage.partner()
        begun, ending = time.monotonic(), threading.Event()

        def client(number: int) -> None:
            while not ending.is_set():
                self._call(partner)

        def watch() -> None:
            offered = self.total
            while time.monotonic() - begun < seconds or (self.total - offered) * _BATCH < until_offered:
                self._look(warm=time.monotonic() - begun < max(seconds / 4, _WARM_SECONDS))
                time.sleep(0.2)
            ending.set()

        pouring = threading.Thread(target=in_parallel, args=(_CLIENTS, client, range(_CLIENTS)))
        pouring.start()
        watch()
        pouring.join()

    def _call(self, partner: Client) -> None:
        with self._lock:
            number = self.calls["made"] = self.calls["made"] + 1
        events = [
            {"name": "Poured", "id": f"{number}-{n}", "identifiers": {"user_id": f"u-{n}"}} for n in range(_BATCH)
        ]
        what = _what_of(reply := partner.post("/api/v1/events/batch", {"events": events}))
        with self._lock:
            self.answers[what] += 1
            if what == "accepted" and reply is not None:
                self.events += reply.json["accepted"]

    def _look(self, *, warm: bool) -> None:
        self.most_waiting = max(self.most_waiting, self.stage.count("SELECT count(*) FROM customers_inbox"))
        size = sum(map(_resident, children_of(self.web.pid)))
        if warm and not self.largest:
            self.warm = max(self.warm, size)
        else:
            self.largest = max(self.largest, size)


def _what_of(reply: Reply | None) -> str:
    if reply is None:
        return "no answer"
    if reply.status == 200:
        return "accepted"
    told = reply.status in (429, 503) and reply.headers.get("retry-after", "").isdecimal()
    return reply.code if told else f"{reply.status} {reply.code}, without Retry-After"


def _resident(pid: int) -> int:
    """Bytes of memory that the process has in use."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def _by_the_minute(stage: Stage) -> Iterator[Check]:
    """A source with a limit of its own, by the door that knows write keys only."""
    source = Source.objects.create(brand=stage.brand, key="limited", name="Limited", per_minute=_CALLS_A_MINUTE)
    segment = Client(stage.url, basic(keys.issue(source)[1]))

    def call(number: int) -> str:
        message = {"event": "Counted", "userId": "u", "messageId": f"counted-{number}"}
        return _what_of(segment.post("/v1/track", message))

    told = Counter(in_parallel(_CLIENTS, call, range(3 * _CALLS_A_MINUTE)))
    wanted = {"accepted": _CALLS_A_MINUTE, "rate_limited": 2 * _CALLS_A_MINUTE}
    yield Check(f"calls by a write key whose source has {_CALLS_A_MINUTE} a minute", wanted, dict(told))


PROMISE = Promise(
    "P6",
    "Overload is said, not hidden: before acceptance, with when to come back",
    run,
    controls=("unbounded queue",),
    code=("customers/load.py", "customers/calls.py", "customers/keys.py", "customers/accept/", "customers/api/"),
    minutes=10,
)
