"""P38: a broadcast reaches everybody in its segment once, whoever dies meanwhile and however often it is paused."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db import connection

from channels.broadcasts import halt, start
from channels.broadcasts.states import By
from channels.broadcasts.tally import numbers
from channels.models import (
    Broadcast,
    BroadcastRecipient,
    Connector,
    Message,
    Template,
    TemplateText,
    TemplateVersion,
)
from config.loop.checks import Check
from config.loop.killer import await_ready
from config.loop.mailbox import read_mails
from config.processes import Process, dispatch
from consent.models import Purpose
from customers.clock import utcnow
from customers.models import Segment
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_SENDERS: Final = 2
_THREADS: Final = 8
_ANSWER_SECONDS: Final = 0.02
_END_SECONDS: Final = 300.0
_OVER: Final = frozenset(("done", "stopped"))
# Everybody has an address and is in the segment; what they asked for needs no grant.
_PEOPLE: Final = (
    """
    INSERT INTO customers_customer (id, created_at, traits, zone, locale)
    SELECT md5('customer' || n)::uuid, now(), '{}', '', 'en' FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO customers_profile (id, customer_id, customer_since, created_at)
    SELECT md5('profile' || n)::uuid, md5('customer' || n)::uuid, now(), now() FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO customers_address (id, channel, value, original, created_at)
    SELECT md5('address' || n)::uuid, 'email', 'person-' || n || '@people.example.com',
        'person-' || n || '@people.example.com', now() FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO customers_addressprofile (profile_id, address_id, first_seen_at, last_seen_at)
    SELECT md5('profile' || n)::uuid, md5('address' || n)::uuid, now(), now() FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO customers_segmentmembership (segment_id, profile_id, customer_id, entered_at, rule_version, historical)
    SELECT %(segment)s, md5('profile' || n)::uuid, md5('customer' || n)::uuid, now() - interval '1 day', 0, false
    FROM generate_series(1, %(people)s) n
    """,
    "ANALYZE customers_profile, customers_addressprofile, customers_address, customers_segmentmembership",
)


class Sent:
    """A mail server that notes what comes, the workers, and a broadcast for so many people."""

    def __init__(self, stage: Stage, people: int, per_minute: int) -> None:
        self._record = stage.logs / "mails.jsonl"
        arguments = ("config.loop.smtp_sink", "--record", str(self._record), "--delay", str(_ANSWER_SECONDS))
        sink = stage.start(Process("smtp", arguments, {}, stage.logs))
        stage.until(lambda: sink.output.read_text().splitlines(), "the mail server")
        self.broadcast = self._prepare(stage, int(sink.output.read_text().splitlines()[0]), people, per_minute)
        environment = stage.environment({"TRILHA_PUBLIC_URL": "https://lab.example"})
        self.senders = [
            stage.start(dispatch(_THREADS, environment, stage.logs, f"dispatch-{number}")) for number in range(_SENDERS)
        ]
        stage.start_beat()
        for sender in self.senders:
            await_ready(sender)

    def arrived(self) -> list[tuple[str, float]]:
        return [(mail.recipient.lower(), mail.at) for mail in read_mails(self._record)]

    def state(self) -> str:
        return Broadcast.objects.values_list("state", flat=True).get(pk=self.broadcast.pk)

    def unsettled(self) -> int:
        waiting = BroadcastRecipient.objects.filter(broadcast=self.broadcast, outcome="").count()
        in_hand = ("queued", "held", "leased", "dispatching")
        return waiting + Message.objects.filter(state__in=in_hand).count()

    def _prepare(self, stage: Stage, port: int, people: int, per_minute: int) -> Broadcast:
        brand = stage.brand
        brand.sender_name, brand.sender_email = "Lab", "hello@lab.example.com"
        brand.save()
        segment = Segment.objects.create(
            brand=brand, key="everybody", name="Everybody", is_static=True, state="live", size=people
        )
        with connection.cursor() as cursor:
            for statement in _PEOPLE:
                cursor.execute(statement, {"people": people, "segment": segment.pk})
        template = Template.objects.create(brand=brand, key="news", name="News", channel="email")
        version = TemplateVersion.objects.create(template=template, number=1)
        TemplateText.objects.create(version=version, locale="en", subject="news", text="News. {{ unsubscribe_url }}")
        connector = Connector.objects.create(
            brand=brand, key="mail", name="Mail", channel="email", provider="smtp", concurrency=_THREADS * _SENDERS,
            config={"host": "127.0.0.1", "port": port, "security": "none"},
        )  # fmt: skip
        return Broadcast.objects.create(
            brand=brand, key="news", name="News", segment=segment, channel="email", connector=connector,
            purpose=Purpose.objects.create(brand=brand, key="service", name="Service", kind=Purpose.Kind.SERVICE),
            template=template, per_minute=per_minute, not_later_than=timedelta(days=7),
        )  # fmt: skip


def run(stage: Stage) -> Iterator[Check]:
    people, kills = stage.size(100_000, 200), stage.size(50, 4)
    sent = Sent(stage, people, stage.size(20_000, 1_200))
    start.start(sent.broadcast, By(), utcnow())
    killed, pause = 0, (0.0, 0.0)
    for number in range(kills):
        victim = stage.chance.choice(sent.senders)
        await_ready(victim)
        time.sleep(stage.chance.uniform(0.1, 1.5))
        if sent.state() in _OVER:
            break
        victim.kill()
        victim.start()
        stage.keeper.keep(victim.pid)
        killed += 1
        if number == kills // 2:
            pause = _pause(stage, sent)
    # What the dead had in hand comes to its end once their lease is over.
    stage.dwindle(sent.unsettled, "recipients and messages that come to no end", _END_SECONDS)
    stage.until(lambda: sent.state() == "done", "the end of the broadcast", 30)
    yield from _judge(sent, people, kills, killed, pause)


def _pause(stage: Stage, sent: Sent) -> tuple[float, float]:
    """Pause it for a moment; from when to when nothing of it may go."""
    halt.pause(sent.broadcast, By(), utcnow())
    answered = time.time()
    time.sleep(stage.chance.uniform(0.5, 1.0))
    resumed = time.time()
    halt.resume(sent.broadcast, By(), utcnow())
    return answered, resumed


def _judge(sent: Sent, people: int, kills: int, killed: int, pause: tuple[float, float]) -> Iterator[Check]:
    arrivals = sent.arrived()
    often = Counter(to for to, _at in arrivals)
    unknown = set(Message.objects.filter(state="unknown").values_list("address__value", flat=True))
    wanted = {f"person-{number}@people.example.com" for number in range(1, people + 1)}
    found = numbers(sent.broadcast.pk)
    yield Check("workers killed while it was under way", range(kills // 2, kills + 1), killed)
    yield Check("recipients taken in, each once", people, BroadcastRecipient.objects.count())
    yield Check("  of whom the numbers tell", people, found.recipients)
    yield Check("  that were written to", people, found.made)
    yield Check("  that wait", 0, found.waiting)
    yield Check("people the provider has it for twice", 0, sum(count > 1 for count in often.values()))
    yield Check("people whom it has it for and nobody meant", 0, len(often.keys() - wanted))
    yield Check("people whom it does not have it for, and who are not unknown", 0, len(wanted - often.keys() - unknown))
    yield Check("messages of which nobody knows", range(killed * _THREADS + 1), len(unknown))
    answered, resumed = pause
    yield Check("paused for a while", True, resumed > answered > 0)
    yield Check("  letters that came meanwhile", 0, sum(answered < at < resumed for _to, at in arrivals))


PROMISE = Promise(
    "P38",
    "A broadcast reaches everybody once, whoever dies and however it is paused",
    run,
    controls=("outcome before the message",),
    code=("channels/broadcasts/", "channels/dispatch/", "channels/stops.py"),
    minutes=20,
)
