"""P3: of any number of copies of a message one is stored, today and as long as messages are kept."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import connection

from config.loop.checks import Check
from tests.promises.client import Client, Reply, all_at_once, in_parallel
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_COPIES = 20
_BATCH = 20


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(stage.size(4, 2))
    partner = stage.partner()
    ids = [f"id-{number}" for number in range(stage.size(10_000, 400))]
    told = _send_copies(stage, partner, ids)
    yield Check(f"messages, {_COPIES} copies of each at once", len(ids), told["accepted"])
    yield Check("  copies told as duplicates", len(ids) * (_COPIES - 1), told["duplicates"])
    yield Check("  anything else", 0, told["rejected"] + told["unanswered"])
    yield Check("  messages stored", len(ids), _stored(stage))

    with connection.cursor() as cursor:
        for table in ("customers_messagekey", "customers_inbox"):
            cursor.execute(f"UPDATE {table} SET received_at = received_at - interval '30 days'")
    again = _send_copies(stage, partner, ids)
    yield Check("the same 30 days later: accepted", 0, again["accepted"])
    yield Check("  told as duplicates", len(ids) * _COPIES, again["duplicates"])

    changed = stage.chance.sample(ids, stage.size(1_000, 50))
    replies = in_parallel(8, lambda id_: partner.post("/api/v1/events", _event(id_, "changed")), changed)
    yield Check("same id, other content: 409", len(changed), sum(_conflicts(reply) for reply in replies))
    yield Check("  kept for people to see", len(changed), stage.count(_QUARANTINED))
    yield Check("  messages stored", len(ids), _stored(stage))


_QUARANTINED = "SELECT count(*) FROM customers_quarantinedevent WHERE code = 'message_id_conflict'"


def _stored(stage: Stage) -> int:
    return stage.count("SELECT count(*) FROM customers_inbox WHERE payload::json->'properties'->>'what' = 'first'")


def _event(id_: str, what: str = "first") -> dict[str, Any]:
    return {"name": "Copied", "id": id_, "identifiers": {"user_id": f"u-{id_}"}, "properties": {"what": what}}


def _send_copies(stage: Stage, partner: Client, ids: list[str]) -> Counter[str]:
    """Each group of ids goes out as many batches at the same moment, every one in another order."""
    told: Counter[str] = Counter()
    for start in range(0, len(ids), _BATCH):
        group = ids[start : start + _BATCH]
        batches = [stage.chance.sample(group, len(group)) for _copy in range(_COPIES)]
        for reply in all_at_once(lambda batch: _send(partner, batch), batches):
            if reply is None or reply.status != 200:
                told["unanswered"] += 1
                continue
            told["accepted"] += reply.json["accepted"]
            told["duplicates"] += reply.json["duplicates"]
            told["rejected"] += len(reply.json["rejected"])
    return told


def _send(partner: Client, ids: list[str]) -> Reply | None:
    return partner.post("/api/v1/events/batch", {"events": [_event(id_) for id_ in ids]})


def _conflicts(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 409 and reply.code == "message_id_conflict"


PROMISE = Promise(
    "P3",
    "Deduplication for the whole retention, under any concurrency",
    run,
    controls=("select, then insert",),
    code=("customers/accept/", "customers/api/"),
    minutes=25,
)
