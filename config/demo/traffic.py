"""Live traffic: people come by, sign up, fill carts and pay, told through the HTTP door like any source would.

`python -m config.demo.traffic --url http://127.0.0.1:8000 --people 3000`; the write keys come on the standard input, as
a JSON object of "brand/source" to key, so that no process list shows them.
"""

import argparse
import base64
import heapq
import json
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from config.demo.lives import Life, Message, Told
from config.demo.people import Person, base36, make_person
from config.demo.size import SEED, Size
from customers.clock import utcnow

logger = logging.getLogger("config.demo.traffic")

_GAP_SECONDS: Final = 2.2
_TIMEOUT_SECONDS: Final = 10
# What somebody does next, and how often.
_BROWSE, _SHOP, _ARRIVE, _STORE = "browse", "shop", "arrive", "store"
_WEIGHTS: Final = {_SHOP: 5, _ARRIVE: 3, _BROWSE: 2, _STORE: 1}
# People who have not come before have numbers beyond all others.
_NEWCOMERS: Final = 1_000_000


class Anytime:
    """Live, whatever is meant for a moment happens at that moment."""

    def burst_at(self, moment: datetime) -> datetime | None:
        return moment

    def beat_at(self, moment: datetime) -> datetime | None:
        return moment


@dataclass(slots=True)
class Street:
    """Who comes by: known people and new ones, each with all they will do from now on."""

    people: int
    seed: int
    mark: str
    random: Random
    _newcomers: Iterator[int] = field(init=False)
    _visits: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._newcomers = count(_NEWCOMERS + int(self.mark, 36) % 10**7 * 100)

    def next(self, now: datetime) -> list[Told]:
        """What one more person does, now and later."""
        what = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        number = next(self._newcomers) if what == _ARRIVE else self.random.randint(1, self.people)
        person = make_person(self.seed, number, Size().days)
        # Its own chance: someone who comes again does not do the same again.
        person.random.seed(f"{self.mark}/{next(self._visits)}")
        life = Life(person, Anytime(), f"-{self.mark}{next(self._visits)}")
        self._act(what, life, person, now)
        return life.told

    def _act(self, what: str, life: Life, person: Person, now: datetime) -> None:
        if what == _ARRIVE:
            life.join(now)
            if person.has_app:
                life.install(now, at_once=True)
            life.activate(now)
        elif what == _SHOP:
            life.visit(now)
        elif what == _STORE:
            life.buy_at_the_counter(now, 0, tied=False)
        else:
            life.look_at(now, logged_in=self.random.random() < 0.6)


@dataclass(slots=True)
class Sender:
    """Posts to the door as each of the sources."""

    url: str
    write_keys: Mapping[str, str]
    sent: int = 0

    def send(self, told: Sequence[Told], now: datetime) -> None:
        by_sender: dict[str, list[Message]] = defaultdict(list)
        for one in told:
            # What was due while the machine slept is told with the time it is told at.
            by_sender[f"{one.brand}/{one.source}"].append({"timestamp": now.isoformat()} | one.message)
        for sender, messages in by_sender.items():
            self._post(sender, {"batch": messages, "sentAt": now.isoformat()})

    def _post(self, sender: str, body: Mapping[str, Any]) -> None:
        credentials = base64.b64encode(f"{self.write_keys[sender]}:".encode()).decode()
        request = Request(  # noqa: S310 - the demo's own server
            f"{self.url}/v1/batch",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"},
        )
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            self.sent += int(json.load(response)["accepted"])


def run(street: Street, sender: Sender, clock: Callable[[], datetime], rest: Callable[[float], None]) -> None:
    """Until somebody ends the process: one person after the other, and what is due of those before."""
    ahead: list[tuple[datetime, int, Told]] = []
    serial = count()
    while True:
        now = clock()
        for told in street.next(now):
            heapq.heappush(ahead, (told.at, next(serial), told))
        due = []
        while ahead and ahead[0][0] <= now:
            due.append(heapq.heappop(ahead)[2])
        try:
            sender.send(due, now)
        except (URLError, OSError) as error:
            # A web server that is busy or restarts: what was to be told is lost, as with a shop that gives up.
            logger.warning("not told: %s", type(error).__name__)
        rest(_GAP_SECONDS * street.random.uniform(0.3, 1.7))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.demo.traffic")
    parser.add_argument("--url", required=True)
    parser.add_argument("--people", type=int, default=Size().people)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    write_keys = json.load(sys.stdin)
    mark = base36(int(time.time()))
    random = Random(f"{options.seed}/{mark}")  # noqa: S311 - who comes by is no secret
    street = Street(options.people, options.seed, mark, random)
    run(street, Sender(options.url, write_keys), utcnow, time.sleep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
