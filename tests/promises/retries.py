"""P2: a call of which nobody knows whether it was done may be sent again, as often as one likes."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from config.loop.checks import Check
from tests.promises.client import Client, Reply, all_at_once, in_parallel
from tests.promises.plan import Promise
from tests.promises.proxy import Proxy
from tests.promises.stage import Stage

_PATH = "/api/v1/events"
_CLIENTS = 8
_SHARE_LOST = 0.1
_MOST_TRIES = 50


@dataclass(slots=True)
class Told:
    """What one call came to in the end, and all that was answered on the way there."""

    key: str
    last: Reply | None = None
    statuses: Counter[int] = field(default_factory=Counter)


def run(stage: Stage) -> Iterator[Check]:
    web = stage.start_web(stage.size(4, 2))
    partner = stage.partner()
    with Proxy(urlsplit(stage.url).port or 0, _SHARE_LOST, stage.chance.randrange(2**32)) as proxy:
        lossy = stage.partner(proxy.url)
        calls = in_parallel(_CLIENTS, lambda n: _insist(lossy, f"call-{n}"), range(stage.size(20_000, 400)))
        lost = dict(proxy.lost)
    pairs = [_pair(partner, f"pair-{n}") for n in range(stage.size(2_000, 50))]
    # As a token's keys are its own, those who used the lossy way must be asked that way again.
    others = [_with_another_body(lossy.to(stage.url), call.key) for call in calls[: stage.size(500, 25)]]

    yield Check("the web server is alive", True, web.is_alive())
    yield Check("calls", len(calls), sum(call.last is not None and call.last.status == 200 for call in calls))
    yield Check("  whose reply was lost at least once", range(1, len(calls)), len(lost))
    yield Check("  repeated, and answered byte for byte as before", len(lost), _told_alike(calls, lost))
    yield Check("  statuses other than 200 and 409 (in flight)", {}, _others(calls))
    yield Check("pairs in parallel", len(pairs), sum(_agree(pair) for pair in pairs))
    yield Check("  statuses other than 200 and 409 (in flight)", {}, _others([one for pair in pairs for one in pair]))
    yield Check("same key with another body: 422", len(others), sum(_is_reused(reply) for reply in others))
    yield Check("events stored", len(calls) + len(pairs), stage.count("SELECT count(*) FROM customers_inbox"))
    yield Check("  different ones", len(calls) + len(pairs), stage.count(_DIFFERENT))


_DIFFERENT = "SELECT count(DISTINCT payload::json->'properties'->>'call') FROM customers_inbox"


def _event(key: str) -> dict[str, Any]:
    """Neither id nor time: nothing but the key tells one call from its repetition."""
    return {"name": "Call Made", "identifiers": {"user_id": f"caller-{key}"}, "properties": {"call": key}}


def _insist(client: Client, key: str) -> Told:
    """Send until the answer is there, as the guide for partners has it."""
    told = Told(key)
    for _attempt in range(_MOST_TRIES):
        reply = client.post(_PATH, _event(key), {"Idempotency-Key": key})
        if reply is None:
            continue
        told.statuses[reply.status] += 1
        if reply.code != "idempotency_in_flight":
            told.last = reply
            break
        time.sleep(0.02)
    return told


def _pair(client: Client, key: str) -> list[Told]:
    return all_at_once(lambda one: _insist(client, one), [key, key])


def _agree(pair: list[Told]) -> bool:
    one, other = (told.last for told in pair)
    return one is not None and other is not None and one.status == 200 and one.body == other.body


def _with_another_body(client: Client, key: str) -> Reply | None:
    return client.post(_PATH, _event(f"{key}, changed"), {"Idempotency-Key": key})


def _is_reused(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 422 and reply.code == "idempotency_key_reused"


def _told_alike(calls: list[Told], lost: Mapping[str, list[bytes]]) -> int:
    final = {call.key: call.last for call in calls}
    return sum(
        (last := final[key]) is not None
        and all(reply.partition(b"\r\n\r\n")[2] == last.body for reply in replies if b" 409 " not in reply[:14])
        for key, replies in lost.items()
    )


def _others(calls: list[Told]) -> dict[int, int]:
    statuses: Counter[int] = sum((call.statuses for call in calls), Counter())
    return {status: number for status, number in statuses.items() if status not in (200, 409)}


PROMISE = Promise(
    "P2",
    "Safe retry: one call, one effect, one answer, however often it is sent",
    run,
    controls=("no key table",),
    code=("customers/api/", "customers/kept_answers.py", "customers/accept/"),
    minutes=10,
)
