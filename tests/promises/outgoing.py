"""P25: whoever asked to be told of events is told each of them at least once, signed, and tried again for days."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import orjson
from django.db import connections
from django.db.models import Count

from channels.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from channels.webhooks import endpoints, replay
from channels.webhooks.replay import Span
from channels.webhooks.schedule import JITTER
from config.loop.checks import Check
from config.processes import dispatch
from customers.clock import utcnow
from customers.hooks.signatures import BadSignature, Signing, verify
from customers.models import AuditEntry, Event, Job
from tests.promises.client import Client
from tests.promises.hearing import ELSEWHERE, Heard, Hearer
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_NAME: Final = "order.placed"
_THREADS: Final = 2
# Of ten endpoints, how they behave; each hears all events.
_KINDS: Final = ("well", "well", "flaky", "busy", "hangs", "away", "down", "dead", "gone", "well")
# The pauses of three days, scaled: ten tries in some seconds.
_WAITS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
_FAILURES: Final = 4
# How much later than due a try may begin on a machine that is busy: bells are rung late, workers are killed.
_LATE_SECONDS: Final = 14.0
_DEADLINE_SECONDS: Final = 2
_CALLS_AT_ONCE: Final = 2
_SENDINGS: Final = 5


@dataclass(slots=True)
class _World:
    stage: Stage
    hearer: Hearer
    partner: Client
    endpoints: dict[str, list[WebhookEndpoint]] = field(default_factory=lambda: defaultdict(list))
    secrets: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    killed: int = 0

    def listen(self, kind: str, number: int) -> None:
        path = f"/{kind}/{number}"
        made = WebhookEndpoint(
            brand=self.stage.brand, name=path, url=f"http://{self.hearer.host}{path}", events=[_NAME], owner="Lab",
            tells_personal=True, concurrency=_CALLS_AT_ONCE,
        )  # fmt: skip
        self.secrets[path] = endpoints.keep(made, utcnow())
        self.endpoints[kind].append(made)

    def ids(self, kind: str) -> list[UUID]:
        return [one.pk for one in self.endpoints[kind]]

    def send(self, number: int) -> None:
        events = [
            {"id": f"e-{n}", "name": _NAME, "identifiers": {"user_id": f"u-{n % 50}"}, "properties": {"number": n}}
            for n in range(self.sent, self.sent + number)
        ]
        reply = None
        # What was sent and got no answer is sent again under the same ids.
        for _try in range(_SENDINGS):
            reply = reply or self.partner.post("/api/v1/events/batch", {"events": events})
        assert reply is not None and reply.status == 200, reply  # noqa: PT018 - one thing is asked
        self.sent += number

    def numbers(self, *kinds: str) -> Mapping[str, set[int]]:
        """By path, the numbers of the events that were heard there."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for one in self.hearer.of(*kinds):
            found[one.path].add(orjson.loads(one.body)["data"]["content"]["properties"]["number"])
        return found


def run(stage: Stage) -> Iterator[Check]:
    with Hearer(_FAILURES) as hearer:
        stage.start_web(1)
        stage.start_engine()
        stage.start_beat()
        world = _World(stage, hearer, stage.partner())
        for number in range(stage.size(200, 20)):
            world.listen(_KINDS[number % len(_KINDS)], number)
        worker = stage.start(
            dispatch(
                _THREADS,
                stage.environment({
                    "TRILHA_CALL_HOSTS": hearer.host,
                    "WEBHOOK_WAITS": ",".join(map(str, _WAITS)),
                    "WEBHOOK_DEADLINE_SECONDS": str(_DEADLINE_SECONDS),
                    # Five days, against three of tries: so long in the same scale.
                    "WEBHOOK_FAILING_HOURS": str(_failing_seconds(stage) / 3600),
                }),
                stage.logs,
            )
        )  # fmt: skip
        kills = stage.size(20, 3)
        for _kill in range(kills):
            heard = len(hearer.of("well"))
            world.send(stage.size(50, 10) // 2)
            # In the midst of calls.
            stage.until(lambda heard=heard: len(hearer.of("well")) > heard, "the first to be told")  # type: ignore[misc]
            time.sleep(stage.chance.uniform(0, 0.1))
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            world.killed += 1
            worker.stop()
            worker.start()
            stage.keeper.keep(worker.pid)
        # Nobody dies now: what is put off is put off soon, and that is written.
        stage.dwindle(lambda: _coming(world, "busy"), "what the busy ones are to be told", 120)
        hearer.be_busy()
        world.send(2)
        stage.dwindle(lambda: _coming(world, "well", "flaky", "busy"), "what is to be told, or given up", 120)
        told = list(_at_least_once(world))
        yield from told
        if not all(check.holds for check in told):
            # What follows would be waited for in vain.
            return
        yield from _signed(world)
        yield from _schedule(world)
        yield from _nowhere_else(world)
        yield from _off(world)
        yield from _replayed(world)
    connections.close_all()


def _failing_seconds(stage: Stage) -> float:
    # Hundreds of endpoints, of which some hang, have workers come back late to one that fails a few times only.
    return stage.size(240, 30)


def _coming(world: _World, *kinds: str) -> int:
    """How many deliveries may still be tried, and events wait for theirs: whether all that is over was told, the checks
    say."""
    ids = [id_ for kind in kinds for id_ in world.ids(kind)]
    coming = WebhookDelivery.objects.filter(
        endpoint_id__in=ids, endpoint__is_active=True, state__in=("waiting", "sending")
    )
    return coming.count() + world.sent - Event.objects.filter(name=_NAME).count()


def _at_least_once(world: _World) -> Iterator[Check]:
    kinds = ("well", "flaky", "busy")
    count = sum(len(world.endpoints[kind]) for kind in kinds)
    heard = world.hearer.of(*kinds)
    events = Event.objects.filter(name=_NAME).count()
    yield Check("events stored", world.sent, events)
    yield Check(f"killed while {len(WebhookEndpoint.objects.all())} endpoints were told", world.killed, world.killed)
    off = WebhookEndpoint.objects.filter(pk__in=[id_ for kind in kinds for id_ in world.ids(kind)], is_active=False)
    yield Check("  switched off, though they hear in the end", 0, off.count())
    numbers = world.numbers(*kinds)
    yield Check("told of every event, endpoints that hear in the end", count, sum(
        len(numbers[one.name]) == events for kind in kinds for one in world.endpoints[kind]
    ))  # fmt: skip
    bodies: defaultdict[tuple[str, str], set[bytes]] = defaultdict(set)
    for one in heard:
        bodies[one.path, one.id].add(one.body)
    yield Check("  deliveries, by their ids", count * events, len(bodies))
    yield Check("  of which a body differed between attempts", 0, sum(len(one) > 1 for one in bodies.values()))
    twice = sum(1 for one in world.hearer.of("well")) - len(world.endpoints["well"]) * events
    most = world.killed * len(world.endpoints["well"]) * _CALLS_AT_ONCE * 40
    yield Check("  told twice, since a worker died before it could say so", range(most + 1), twice)


def _signed(world: _World) -> Iterator[Check]:
    bad = sum(not _is_signed(world, one) for one in world.hearer.of(*_KINDS))
    yield Check("calls whose signature does not verify", 0, bad)
    stranger = sum(_is_signed(world, one, "/well/0") for one in world.hearer.of(*_KINDS) if one.path != "/well/0")
    yield Check("  that verify by another endpoint's secret", 0, stranger)


def _is_signed(world: _World, one: Heard, path: str = "") -> bool:
    signing = Signing("standard", "", "sha256", "base64", "", (world.secrets[path or one.path],))
    try:
        return verify(signing, one.headers, one.body, utcnow()) == one.id
    except BadSignature:
        return False


def _schedule(world: _World) -> Iterator[Check]:
    """Of who fails a few times: each pause is as long as it has to be, and not much longer."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for one in world.hearer.of("flaky"):
        times[f"{one.path}:{one.id}"].append(one.at)
    pauses = [
        (later - earlier, _WAITS[number])
        for each in times.values()
        for number, (earlier, later) in enumerate(pairwise(each[: _FAILURES + 1]))
    ]
    soon = sum(pause < wanted * 0.98 for pause, wanted in pauses)
    # A worker that was killed between the call and its note leaves a try that is made again, once its lease is over.
    excused = world.killed * len(world.endpoints["flaky"]) * _CALLS_AT_ONCE
    yield Check("pauses between tries", range(len(times) * _FAILURES, 10**9), len(pauses))
    yield Check("  shorter than the schedule says", range(excused + 1), soon)
    late = sum(pause > wanted * (1 + JITTER) + _LATE_SECONDS for pause, wanted in pauses)
    yield Check("  much longer", range(excused + 1), late)
    yield from _left_alone(world)


def _left_alone(world: _World) -> Iterator[Check]:
    """Who asked for it, soon enough: for longer than the schedule lasts nobody is put off."""
    heard = world.numbers("busy")
    yield Check("told, that had asked to be left alone", len(world.endpoints["busy"]), len(heard))
    asked = WebhookAttempt.objects.filter(endpoint_id__in=world.ids("busy"), status=429)
    patience = timedelta(seconds=sum(_WAITS))
    late = {one.delivery_id: one.at - one.delivery.queued_at > patience for one in asked.select_related("delivery")}
    yield Check("  soon after they were queued", range(1, 10**6), list(late.values()).count(False))
    tried = WebhookDelivery.objects.filter(endpoint_id__in=world.ids("busy"), state="delivered").exclude(tries=1)
    yield Check("  for which that was a try", 0, sum(not late.get(one.pk) for one in tried))


def _nowhere_else(world: _World) -> Iterator[Check]:
    yield Check("calls that followed a redirect", 0, sum(one.path == ELSEWHERE for one in world.hearer.heard))
    answered = WebhookAttempt.objects.filter(endpoint_id__in=world.ids("away"), status=302)
    yield Check(
        "  what such an answer is called", {"redirect_not_followed"}, set(answered.values_list("reason", flat=True))
    )


def _off(world: _World) -> Iterator[Check]:
    gone = WebhookEndpoint.objects.filter(pk__in=world.ids("gone"), is_active=False, off_reason="gone")
    yield Check("off at once, since they said that they are gone", len(world.ids("gone")), gone.count())
    most = max((sum(one.path == hook.name for one in world.hearer.of("gone")) for hook in gone), default=0)
    yield Check(
        "  calls that each got, those in hand included", range(1, 2 * _CALLS_AT_ONCE * (world.killed + 1)), most
    )
    failing = (*world.ids("down"), *world.ids("dead"))

    def all_off() -> bool:
        return not WebhookEndpoint.objects.filter(pk__in=failing, is_active=True).exists()

    # Something has to be tried for it to be seen that it still fails.
    end = time.monotonic() + 2 * _failing_seconds(world.stage) + 60
    while not all_off() and time.monotonic() < end:
        world.send(1)
        time.sleep(1)
    off = WebhookEndpoint.objects.filter(pk__in=failing, off_reason="failing")
    yield Check("off after nothing but failure", len(failing), off.count())
    least = timedelta(seconds=_failing_seconds(world.stage))
    soon = sum(_since(one) < least for one in off)
    yield Check("  before their time", 0, soon)
    told = dict(
        AuditEntry.objects.filter(object_id__in=map(str, failing), action__startswith="webhook_")
        .values_list("action")
        .annotate(Count("pk"))
    )
    yield Check("  announced, then and before", {"webhook_failing": len(failing), "webhook_off": len(failing)}, told)


def _since(endpoint: WebhookEndpoint) -> timedelta:
    none = timedelta()
    return endpoint.off_at - endpoint.failing_since if endpoint.off_at and endpoint.failing_since else none


def _replayed(world: _World) -> Iterator[Check]:
    """One kind is mended and told of a span of time once more: what had failed, or all of it."""
    world.hearer.mended.update(("down", "dead"))
    before = world.hearer.of("down", "dead")
    ids = {kind: {one.id for one in before if one.kind == kind} for kind in ("down", "dead")}
    world.stage.until(lambda: not _in_hand(world, "down", "dead"), "what is in hand")
    failed = WebhookDelivery.objects.filter(endpoint_id__in=world.ids("down"), state="failed").count()
    waiting = WebhookDelivery.objects.filter(endpoint_id__in=world.ids("down"), state="waiting").count()
    span = Span(utcnow() - timedelta(hours=1), utcnow() + timedelta(minutes=1))
    for endpoint in (*world.endpoints["down"], *world.endpoints["dead"]):
        endpoint.refresh_from_db()
        endpoints.switch_on(endpoint, utcnow())
    for endpoint in world.endpoints["down"]:
        replay.ask(endpoint, Span(span.since, span.until, only_failed=True), utcnow())
    for endpoint in world.endpoints["dead"]:
        replay.ask(endpoint, span, utcnow())
    world.stage.until(lambda: _jobs_done() and not _unsettled(world, "down", "dead"), "the replay", 120)
    mended = world.hearer.of("down", "dead")[len(before) :]
    of_down = [one for one in mended if one.kind == "down"]
    yield Check(
        "replayed of a span: what had failed, and what still waited", failed + waiting, len({o.id for o in of_down})
    )
    yield Check("  under ids that were not told before", range(waiting + 1), len({o.id for o in of_down} - ids["down"]))
    events = Event.objects.filter(name=_NAME).count()
    of_dead = {one.id for one in mended if one.kind == "dead"}
    yield Check("replayed of a span: all of it", events * len(world.ids("dead")), len(of_dead))
    states = dict(
        WebhookDelivery.objects.filter(endpoint_id__in=world.ids("dead")).values_list("state").annotate(Count("pk"))
    )
    yield Check("  how they stand", {"delivered": events * len(world.ids("dead"))}, states)


def _in_hand(world: _World, *kinds: str) -> int:
    ids = [id_ for kind in kinds for id_ in world.ids(kind)]
    return WebhookDelivery.objects.filter(endpoint_id__in=ids, state="sending").count()


def _unsettled(world: _World, *kinds: str) -> int:
    ids = [id_ for kind in kinds for id_ in world.ids(kind)]
    return WebhookDelivery.objects.filter(endpoint_id__in=ids, state__in=("sending", "waiting")).count()


def _jobs_done() -> bool:
    return not Job.objects.filter(kind=replay.REPLAY).exclude(state="done").exists()


PROMISE: Final = Promise(
    "P25",
    "Outgoing webhooks: signed, at least once, on schedule, switched off when they fail, replayable",
    run,
    controls=("delivered before the call", "another id at each attempt"),
    code=("channels/webhooks/", "channels/web/", "customers/stored.py", "customers/awaited.py"),
    minutes=20,
)
