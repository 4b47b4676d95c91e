"""P4: the answer to a batch accounts for every item, and the database holds what it says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count

from config.loop.checks import Check
from customers.models import EventType, QuarantinedEvent, SchemaVersion
from tests.promises.client import Reply, in_parallel
from tests.promises.mistakes import GOOD, MISTAKES
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_ITEMS = 100
_SCHEMA: Final = {"type": "object", "required": ["total"], "properties": {"total": {"type": "integer"}}}


@dataclass(frozen=True, slots=True)
class Batch:
    """`bad` says by index which mistake stands there; `again` how many items repeat an earlier one."""

    body: bytes
    bad: dict[int, str]
    good: int
    again: int


def run(stage: Stage) -> Iterator[Check]:
    _plan_one_event(stage)
    stage.start_web(2)
    partner = stage.partner()
    batches = [_batch(stage, number) for number in range(stage.size(2_000, 120))]
    replies = in_parallel(8, lambda batch: partner.post("/api/v1/events/batch", batch.body), batches)
    pairs = list(zip(batches, replies, strict=True))

    yield Check("batches answered 200", len(batches), sum(r is not None and r.status == 200 for r in replies))
    yield Check("  whose sum is what was sent", len(batches), sum(_adds_up(*pair) for pair in pairs))
    yield Check("  whose bad items are named, each with its reason", len(batches), sum(_names(*pair) for pair in pairs))
    good = sum(batch.good for batch in batches)
    yield Check("items accepted", good, _total(replies, "accepted"))
    yield Check("  stored", good, stage.count("SELECT count(*) FROM customers_inbox WHERE message_id LIKE 'good-%'"))
    yield Check("  other messages stored", good, stage.count("SELECT count(*) FROM customers_inbox"))
    yield Check("items told as duplicates", sum(batch.again for batch in batches), _total(replies, "duplicates"))
    wanted = Counter(code for batch in batches for code in batch.bad.values())
    kept = QuarantinedEvent.objects.values_list("code").annotate(n=Count("id"))
    yield Check("kinds of mistakes made", len(MISTAKES), len({*MISTAKES}))
    yield Check("items in quarantine", sum(wanted.values()), sum(dict(kept).values()))
    yield Check("  under another code than their own", {}, _difference(wanted, dict(kept)))


def _plan_one_event(stage: Stage) -> None:
    order = EventType.objects.create(brand=stage.brand, name="Order Placed")
    SchemaVersion.objects.create(event_type=order, number=1, schema=_SCHEMA, status=SchemaVersion.Status.APPROVED)


def _batch(stage: Stage, number: int) -> Batch:
    """A hundred items, of which any number is bad and some come twice."""
    bad = set(stage.chance.sample(range(_ITEMS), stage.chance.randint(0, _ITEMS)))
    items: list[str] = []
    codes: dict[int, str] = {}
    good: list[str] = []
    again = 0
    for index in range(_ITEMS):
        if index in bad:
            # One after the other, so that none is left out.
            codes[index], text = MISTAKES[(number * 7 + index) % len(MISTAKES)]
            items.append(text.replace("$", f"{number}-{index}"))
        elif good and stage.chance.random() < 0.05:
            items.append(stage.chance.choice(good))
            again += 1
        else:
            good.append(GOOD.replace("$", f"{number}-{index}"))
            items.append(good[-1])
    return Batch(f'{{"events":[{",".join(items)}]}}'.encode(), codes, len(good), again)


def _adds_up(batch: Batch, reply: Reply | None) -> bool:
    if reply is None or reply.status != 200:
        return False
    told = reply.json
    return bool(told["accepted"] + told["duplicates"] + len(told["rejected"]) == _ITEMS)


def _names(batch: Batch, reply: Reply | None) -> bool:
    rejected: list[dict[str, Any]] = reply.json["rejected"] if reply is not None and reply.status == 200 else []
    return {one["index"]: one["code"] for one in rejected} == batch.bad


def _difference(wanted: Mapping[str, int], kept: Mapping[str, int]) -> dict[str, int]:
    both = {code: kept.get(code, 0) - wanted.get(code, 0) for code in {*wanted, *kept}}
    return {code: number for code, number in both.items() if number}


def _total(replies: Sequence[Reply | None], what: str) -> int:
    return sum(reply.json[what] for reply in replies if reply is not None and reply.status == 200)


PROMISE = Promise(
    "P4",
    "Honest batches: every item is accepted, a duplicate or refused with a reason, and the sum is what was sent",
    run,
    controls=("partial commit",),
    code=("customers/accept/", "customers/api/"),
    minutes=15,
)
