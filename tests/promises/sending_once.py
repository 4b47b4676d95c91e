"""P19: whatever dies, sleeps or is lost on the way, a provider is told once of each message, or knows that it was."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from channels.models import Message
from config.loop.checks import Check
from tests.promises.carrier import FAULT, WELL
from tests.promises.carriers import CHANNELS, KEYLESS, Arrival, Carriers, Troubles
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.strikes import KILL, SLEEP, Strikes

# All of them take what waits from the same queue.
_SENDERS: Final = 3
_THREADS: Final = 6
_ANSWER_SECONDS: Final = 0.4
_TROUBLES: Final = Troubles(drop=0.05, hang=0.02, fault=0.05)
_IN_HAND: Final = ("queued", "held", "leased", "dispatching")
_FINAL_SECONDS: Final = 300.0

State = Message.State


def run(stage: Stage) -> Iterator[Check]:
    carriers = Carriers(stage, _SENDERS, _THREADS, delay=_ANSWER_SECONDS, troubles=_TROUBLES, fault="hurried retries")
    partner = stage.partner()
    people = range(stage.size(10_000, 100))
    carriers.agree(partner, people)
    blows = [KILL] * stage.size(200, 4) + [SLEEP] * stage.size(100, 2)
    stage.chance.shuffle(blows)
    share = len(people) // len(blows)
    with Strikes(stage, carriers.senders) as strikes:
        for number, blow in enumerate(blows):
            some = people[number * share : (number + 1) * share]
            strikes.strike(blow, partial(carriers.greet, partner, some))
        carriers.greet(partner, people[len(blows) * share :])
    wanted = len(people) * len(CHANNELS)
    stage.until(lambda: Message.objects.count() == wanted, "the messages", _FINAL_SECONDS)
    in_hand = Message.objects.filter(state__in=_IN_HAND)
    stage.dwindle(in_hand.count, "them in hand", _FINAL_SECONDS)

    yield from (Check(what, number, strikes.counts[what]) for what, number in sorted(Counter(blows).items()))
    yield from judge(carriers, wanted, sum(strikes.counts.values()))


def judge(carriers: Carriers, wanted: int, blows: int) -> Iterator[Check]:
    """What the providers know, against what we believe."""
    arrived = _by_message(carriers.arrivals())
    stands = {(by, to): state for by, to, state in _rows()}
    yield Check("messages, each of which has come to its end", wanted, len(stands))
    for by in KEYLESS:
        twice = sum(len(all_) > 1 for which, all_ in arrived.items() if which[0] == by)
        yield Check(f"  that reached the provider of {by} twice", 0, twice)
    pushes = [all_ for (by, _to), all_ in arrived.items() if by == "push"]
    yield Check(
        "  that the provider of pushes has by two keys", 0, sum(len({one.key for one in p}) > 1 for p in pushes)
    )
    yield Check("  that it was told of again by the same key", range(1, wanted), sum(len(p) > 1 for p in pushes))
    sent = {which for which, state in stands.items() if state == State.SENT}
    unknown = {which for which, state in stands.items() if state == State.UNKNOWN}
    refused = {which for which, state in stands.items() if state == State.FAILED and which[0] == "mail"}
    yield Check("messages of any other fate", 0, wanted - len(sent) - len(unknown) - len(refused))
    yield Check("sent, which did not arrive", 0, len(sent - arrived.keys()))
    yield Check(
        "refused, though the mail server did not say so", 0, sum(_does(arrived[one]) != FAULT for one in refused)
    )
    # A fault of the mail server is a clear no; what else a provider without keys leaves open nobody knows.
    open_ = {which for which, all_ in arrived.items() if _is_open(which[0], _does(all_))}
    yield Check("calls without an answer, where no key is known", range(1, wanted), len(open_))
    yield Check("  of which the message is not unknown", 0, len(open_ - unknown))
    most = blows * carriers.threads
    yield Check("messages unknown since a blow cut off their call", range(most + 1), len(unknown - open_))
    yield Check("  by the provider that takes keys", 0, sum(by == "push" for by, _to in unknown))


Which = tuple[str, str]


def _by_message(arrivals: Sequence[Arrival]) -> Mapping[Which, Sequence[Arrival]]:
    """By provider and address: each address gets one message of each."""
    found: defaultdict[Which, list[Arrival]] = defaultdict(list)
    for one in arrivals:
        found[one.by, one.to].append(one)
    return dict(found)


def _does(arrivals: Sequence[Arrival]) -> str:
    return arrivals[0].does


def _is_open(by: str, does: str) -> bool:
    return by in KEYLESS and does != WELL and not (by == "mail" and does == FAULT)


def _rows() -> Sequence[tuple[str, str, str]]:
    return list(Message.objects.values_list("connector__key", "address__value", "state"))


PROMISE = Promise(
    "P19",
    "Nothing is sent twice, whoever dies, sleeps, or loses the answer",
    run,
    controls=("lease retry",),
    code=("channels/dispatch/", "channels/providers/", "channels/web/"),
    minutes=35,
)
