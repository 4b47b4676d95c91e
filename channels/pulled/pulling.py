"""Many addresses asked at once: what is known is not asked, each is asked once, and all of it ends in time."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

from channels.pulled import copies, hosts
from channels.pulled.fetching import Got, Missed, fetch
from channels.pulled.hosts import FAILURES, Host

# Of a whole batch: whatever hangs, the messages beside it wait no longer.
MOST_SECONDS: Final = 4.0
_AT_ONCE: Final = 8
_LOOK_EVERY: Final = 0.05
RESTS: Final = Missed("the host rests", passes=True)
LATE: Final = Missed("not had in time", passes=True)


@dataclass(frozen=True, slots=True)
class Ask:
    brand_id: UUID
    # Not in any log: values of people are in it.
    url: str = field(repr=False)
    host: Host
    seconds: float
    good_for: int
    is_personal: bool

    @property
    def key(self) -> UUID:
        return copies.key_of(self.brand_id, self.url)


@dataclass(slots=True)
class _Round:
    """How each host fares meanwhile: one that has failed too often is asked no more."""

    until: float
    lock: Lock = field(default_factory=Lock)
    begun: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    well: set[UUID] = field(default_factory=set)
    why: dict[UUID, str] = field(default_factory=dict)

    def ask(self, one: Ask) -> Got | Missed:
        left = self.until - time.monotonic()
        if left <= 0:
            return LATE
        if not self._may(one.host):
            return RESTS
        found = fetch(one.url, one.host.secret, min(one.seconds, left))
        with self.lock:
            if isinstance(found, Missed) and found.is_theirs:
                self.failed[one.host.id] += 1
                self.why[one.host.id] = found.why
            else:
                self.well.add(one.host.id)
        return found

    def _may(self, host: Host) -> bool:
        with self.lock:
            is_probe = host.is_shaken and host.id not in self.well
            if self.failed[host.id] >= FAILURES or (is_probe and self.begun[host.id]):
                return False
            self.begun[host.id] += 1
            return True


def pull(asks: Iterable[Ask], now: datetime, until: float) -> dict[UUID, Got | Missed]:
    """By key; `until` is an instant of `time.monotonic()`. Holds no lock and no transaction while others are asked."""
    begun = time.monotonic()
    until = min(until, begun + MOST_SECONDS)
    asked = {one.key: one for one in asks}
    found: dict[UUID, Got | Missed] = {key: Got(body) for key, body in copies.read(list(asked), now).items()}
    found |= {key: RESTS for key, one in asked.items() if key not in found and one.host.is_resting(now)}
    left = {key: one for key, one in asked.items() if key not in found}
    if not left:
        return found
    shared = {key: one.is_personal for key, one in left.items() if one.good_for}
    ours = copies.claim(shared, now) if shared else set()
    fetched = _fetch([one for key, one in left.items() if key in ours or key not in shared], until, now)
    _keep(fetched, left, ours, now + timedelta(seconds=time.monotonic() - begun))
    return found | fetched | _awaited([key for key in left if key not in fetched], now, until)


def _fetch(asks: list[Ask], until: float, now: datetime) -> dict[UUID, Got | Missed]:
    if not asks:
        return {}
    round_ = _Round(until)
    with ThreadPoolExecutor(min(_AT_ONCE, len(asks)), thread_name_prefix="pull") as pool:
        found = dict(zip([one.key for one in asks], pool.map(round_.ask, asks), strict=True))
    for host in {one.host.id: one.host for one in asks}.values():
        if host.id in round_.well or round_.failed[host.id]:
            well = host.id in round_.well
            hosts.fared(host, well=well, failures=round_.failed[host.id], why=round_.why.get(host.id, ""), now=now)
    return found


def _keep(fetched: Mapping[UUID, Got | Missed], asked: Mapping[UUID, Ask], ours: set[UUID], now: datetime) -> None:
    got = {
        key: (one.value, asked[key].good_for) for key, one in fetched.items() if key in ours and isinstance(one, Got)
    }
    if got:
        copies.keep(got, now)
    if missed := ours - got.keys():
        copies.let_go(missed)


def _awaited(keys: list[UUID], now: datetime, until: float) -> dict[UUID, Got | Missed]:
    """What somebody else is fetching: for them to be done, or to have given up."""
    begun, found, waits = time.monotonic(), {}, bool(keys)
    while waits and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
        at = now + timedelta(seconds=time.monotonic() - begun)
        waits = copies.is_any_fetched(keys, at)
        # Read after that: what was put there meanwhile is seen.
        found = {key: Got(body) for key, body in copies.read(keys, at).items()}
        waits &= len(found) < len(keys)
    return {key: found.get(key, LATE) for key in keys}
