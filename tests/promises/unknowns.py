"""P20: what nobody knows is shown as such, until a provider or a person says what became of it."""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from django.urls import reverse

from channels.models import Message, ProviderCallback, Receipt
from config.loop.checks import Check
from customers.models import AuditEntry
from tests.promises.calling_back import meta_tells, twilio_tells
from tests.promises.carriers import CHANNELS, KEYLESS, Carriers, Troubles
from tests.promises.plan import Promise
from tests.promises.staff import Staff
from tests.promises.stage import Stage
from tests.promises.strikes import KILL, Strikes

_SENDERS: Final = 2
_THREADS: Final = 6
_TROUBLES: Final = Troubles(drop=0.2, hang=0.03, fault=0.15)
_IN_HAND: Final = ("queued", "held", "leased", "dispatching")
_SECONDS: Final = 900.0
_CONTROL_SECONDS: Final = 15.0
# What a person decides of each: it goes once more, it arrived, it did not.
_DECISIONS: Final = {"send_again": "sent", "arrived": "sent", "did_not_arrive": "failed"}

State = Message.State


def run(stage: Stage) -> Iterator[Check]:
    carriers = Carriers(stage, _SENDERS, _THREADS, delay=0.1, troubles=_TROUBLES, fault="hurried retries")
    _send(stage, carriers)
    staff = Staff(stage)
    unknown = _unknown()
    yield Check("messages of which nobody knows", range(12, 10**6), len(unknown))
    yield Check("  which the page of messages lists", len(unknown), len(_listed(staff) & unknown.keys()))
    yield Check("  others that it lists as such", 0, len(_listed(staff) - unknown.keys()))

    told = _call_back(stage, carriers, unknown)
    # Longer than a lease lasts and the sweep waits.
    time.sleep(stage.size(60, 9))
    yield Check("told of by their providers afterwards, half of those that can be", range(3, 10**6), len(told))
    for state in (State.DELIVERED, State.FAILED):
        mine = [id_ for id_, became in told.items() if became == state]
        yield Check(f"  {state}, as it was told", len(mine), _count(mine, state))
    rest = unknown.keys() - told.keys()
    yield Check("unknown still, as nobody said anything", len(rest), _count(rest, State.UNKNOWN))
    calls = Counter((one.by, one.key) for one in carriers.arrivals() if one.by in KEYLESS)
    yield Check("sent once more by nobody's decision", 0, calls.total() - len(calls))
    yield from _decided(stage, staff, carriers, {id_: unknown[id_] for id_ in rest})


def _send(stage: Stage, carriers: Carriers) -> None:
    """Everybody is written to, while senders are killed."""
    partner, people, kills = stage.partner(), range(stage.size(1_000, 40)), stage.size(10, 1)
    carriers.agree(partner, people)
    share = len(people) // (kills + 1)
    with Strikes(stage, carriers.senders) as strikes:
        for number in range(kills):
            strikes.strike(KILL, partial(carriers.greet, partner, people[number * share : (number + 1) * share]))
    carriers.greet(partner, people[kills * share :])
    wanted = len(people) * len(CHANNELS)
    in_hand = Message.objects.filter(state__in=_IN_HAND)
    _await(stage, lambda: Message.objects.count() == wanted and not in_hand.exists())


def _await(stage: Stage, true: Callable[[], object]) -> None:
    """A broken build is waited for a little only: the counts tell."""
    until = time.monotonic() + (_CONTROL_SECONDS if stage.control else _SECONDS)
    while not true() and time.monotonic() < until:
        time.sleep(0.05)


def _unknown() -> Mapping[UUID, str]:
    """The ids of those that are, each with the connector's key."""
    return dict(Message.objects.filter(state=State.UNKNOWN).values_list("pk", "connector__key").order_by("pk"))


def _count(ids: Collection[UUID], state: str) -> int:
    return Message.objects.filter(pk__in=list(ids), state=state).count()


def _listed(staff: Staff) -> set[UUID]:
    """By the list of messages, filtered by its own state and read page by page."""
    path, found = reverse("admin:channels_message_changelist"), set[UUID]()
    for page in range(1, 1_000):
        body = staff.get(f"{path}?state__exact=unknown&p={page}").body.decode()
        shown = {UUID(one) for one in re.findall(r'name="_selected_action" value="([0-9a-f-]{36})"', body)}
        if shown <= found:
            break
        found |= shown
    return found


def _call_back(stage: Stage, carriers: Carriers, unknown: Mapping[UUID, str]) -> dict[UUID, str]:
    """Twilio and Meta tell of every other one, twice and in the end once of a stranger; what each became."""
    told: dict[UUID, str] = {}
    for number, (id_, by) in enumerate((id_, by) for id_, by in unknown.items() if by in ("sms", "whatsapp")):
        if number % 2:
            continue
        tells = twilio_tells if by == "sms" else meta_tells
        told[id_] = (State.DELIVERED, State.FAILED)[number // 2 % 2]
        for _time in range(2):
            tells(stage, carriers.connectors[by], id_, told[id_])
    twilio_tells(stage, carriers.connectors["sms"], UUID(int=stage.chance.getrandbits(128)), "delivered")
    waiting = ProviderCallback.objects.filter(status=ProviderCallback.Status.WAITING)
    open_ = Receipt.objects.filter(applied_at=None, message_key__in=list(told))
    _await(stage, lambda: not waiting.exists() and not open_.exists())
    return told


def _decided(stage: Stage, staff: Staff, carriers: Carriers, rest: Mapping[UUID, str]) -> Iterator[Check]:
    """A member of the staff says of some what became of them, or that they are to go once more."""
    # A mailbox that is told to lose answers does so again.
    able = [id_ for id_, by in rest.items() if by != "mail"]
    share = min(len(able) // len(_DECISIONS), 40)
    for number, (decision, state) in enumerate(_DECISIONS.items()):
        mine = able[number * share : (number + 1) * share]
        before = Counter(one.key for one in carriers.arrivals())
        _say(staff, decision, mine)
        _await(stage, lambda mine=mine, state=state: _count(mine, state) == len(mine))  # type: ignore[misc]
        yield Check(f"a person decides: {decision}", range(1, 41), len(mine))
        more = Counter(one.key for one in carriers.arrivals()) - before
        wanted = Counter(map(str, mine)) if decision == "send_again" else Counter()
        yield Check("  calls to providers that followed, as decided", True, more == wanted)
    audited = AuditEntry.objects.filter(action="reconcile").count()
    yield Check("  noted in the audit trail", len(_DECISIONS) * share, audited)


def _say(staff: Staff, decision: str, ids: Sequence[UUID]) -> None:
    path = f"{reverse('admin:channels_message_changelist')}?state__exact=unknown"
    staff.get(path)
    staff.post(path, {"action": decision, "_selected_action": [str(id_) for id_ in ids], "index": "0"})


PROMISE = Promise(
    "P20",
    "What nobody knows is shown, and waits for a provider's word or a person's",
    run,
    controls=("auto retry",),
    code=("channels/dispatch/", "channels/receipts/", "channels/admin/reconciling.py"),
    minutes=12,
)
