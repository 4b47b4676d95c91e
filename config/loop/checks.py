"""What must have come of it: every count, expected beside found."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from analytics.journey_numbers import journey_numbers
from channels.models import Message
from config.loop.cast import Cast
from config.loop.journeys import JOURNEYS, World
from config.loop.mailbox import Mail
from config.loop.quiet import waiting
from config.loop.scenario import MISTAKES, VISITOR, Told
from config.loop.tour import TEXTS, Arrival, code_of, tour_checks
from config.loop.verdict import Check
from customers.models import Customer, DeadLetter, Event, QuarantinedEvent
from journeys.models import EntryRefusal, JourneyVersion, Run

__all__ = ["Check", "Outcome", "all_checks"]

State = Message.State
Sent = (State.SENT, State.DELIVERED, State.OPENED, State.CLICKED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that the checks look at beside the database. Kills cut off no more calls than `cut_off`, and of those to the
    mail server no more than `interrupted`."""

    cast: Cast
    world: World
    told: Told
    mails: list[Mail]
    arrivals: list[Arrival]
    interrupted: int
    cut_off: int


def all_checks(outcome: Outcome) -> Iterator[Check]:
    yield from _sense(outcome)
    yield from _decide(outcome)
    yield from _act(outcome)
    yield from _arrived(outcome)
    yield from _toured(outcome)
    yield from _sums(outcome)
    yield from _rest()


def _sense(outcome: Outcome) -> Iterator[Check]:
    yield Check("events stored", outcome.told.events, Event.objects.count())
    people = Customer.objects.filter(profiles__isnull=False).distinct()
    yield Check("customers", len(outcome.cast.people) + 1, people.count())
    visitor = people.get(profiles__identifier__kind_id="user_id", profiles__identifier__value=VISITOR)
    yield Check("  profiles of the visitor (2 anonymous ids, user id, e-mail)", 4, visitor.profiles.count())
    yield Check("  events of the visitor", 4, Event.objects.filter(profile__customer=visitor).count())
    expected = {"accepted": 0, "duplicates": outcome.told.repeated_size, "rejected": []}
    for key, number in expected.items():
        yield Check(f"  of a batch sent again: {key}", number, outcome.told.repeated[key])
    codes = Counter(QuarantinedEvent.objects.values_list("code", flat=True))
    for code in MISTAKES:
        yield Check(f"  in quarantine: {code}", 1, codes.pop(code, 0))
    yield Check("  in quarantine: anything else", {}, dict(codes))


def _decide(outcome: Outcome) -> Iterator[Check]:
    cast, ends = outcome.cast, _ends(outcome.world)
    silent = len(cast.people) - len(cast.entered)
    active = sum(person.logs_in for person in cast.entered)
    yield Check("sign-ups refused, by reason", {"no_consent": silent}, _refused("onboarding", outcome.world))
    yield Check("runs that ended active: logged in in time", active, ends.pop(("onboarding", "active"), 0))
    yield Check(
        "runs that ended reminded: timed out",
        len(cast.entered) - active,
        ends.pop(("onboarding", "reminded"), 0),
    )
    yield Check("carts bought: own order came", len(cast.shoppers), ends.pop(("cart", "bought"), 0))
    yield Check("carts left: timed out", len(cast.shoppers), ends.pop(("cart", "left"), 0))
    yield Check("receipts asked for", 1, ends.pop(("receipt", "told"), 0))
    yield Check("trips through every channel", len(cast.travellers), ends.pop(("tour", "rewarded"), 0))
    yield Check("runs that ended otherwise", {}, dict(ends))


def _act(outcome: Outcome) -> Iterator[Check]:
    rows = Message.objects.values_list("template_version__template__key", "state", "reason")
    fates = Counter(rows)
    slow, gone = outcome.cast.slow.email, outcome.told.unsubscribed
    yield Check("reminders not sent, since logged in while queued (acted)", 1,
                fates.pop(("reminder", State.CANCELLED, "acted"), 0))  # fmt: skip
    yield Check("  of the one who is slow", 1, _count("reminder", slow, State.CANCELLED))
    yield Check("messages suppressed after one-click (withdrawn)", 1,
                fates.pop(("receipt", State.SUPPRESSED, "withdrawn"), 0))  # fmt: skip
    yield Check("  to the one who unsubscribed", 1, _count("receipt", gone, State.SUPPRESSED))
    sent = sum(fates.pop(fate) for fate in list(fates) if fate[1] in Sent)
    unknown = sum(fates.pop(fate) for fate in list(fates) if fate[1] == State.UNKNOWN)
    wanted = len(outcome.cast.mails()) + len(TEXTS) * len(outcome.cast.travellers)
    yield Check("messages sent or unknown", wanted, sent + unknown)
    elsewhere = sum(_unknown_by_template().values())
    yield Check("  unknown: no more than calls were interrupted", range(outcome.interrupted + 1), unknown - elsewhere)
    yield Check("  and of other channels", range(outcome.cut_off + 1), elsewhere)
    yield Check("messages of any other fate", {}, dict(fates))


def _arrived(outcome: Outcome) -> Iterator[Check]:
    """The mail server's own account, mail by mail, against what was wanted and what we believe."""
    arrived = Counter((mail.step, mail.recipient) for mail in outcome.mails)
    wanted = outcome.cast.mails()
    sent, unknown = _messages(*Sent), _messages(State.UNKNOWN)
    yield Check("mails that arrived twice", 0, sum(number - 1 for number in arrived.values()))
    yield Check("mails nobody should have got", 0, len(arrived.keys() - wanted))
    yield Check("mails missing, not even listed as unknown", 0, len(wanted - arrived.keys() - unknown))
    yield Check("messages marked sent that did not arrive", 0, len(sent - arrived.keys()))
    yield Check("mails that arrived, marked neither sent nor unknown", 0, len(arrived.keys() - sent - unknown))
    for step in ("welcome", "reminder", "cart", "letter", "gift"):
        most, unsure, got = (sum(one[0] == step for one in mails) for mails in (wanted, unknown, arrived))
        yield Check(f"  {step} mails", range(most - unsure, most + 1), got)
    yield Check("mails without one-click unsubscription", 0, sum(not mail.is_one_click for mail in outcome.mails))


def _toured(outcome: Outcome) -> Iterator[Check]:
    travellers = outcome.cast.travellers
    yield from tour_checks(travellers, outcome.arrivals, _unknown_by_template(), outcome.cut_off)
    presents = {(person.email, f"Your gift gift-{code_of(person)}") for person in travellers}
    told = {(mail.recipient, mail.header("Subject")) for mail in outcome.mails if mail.step == "gift"}
    yield Check("presents that the customer system gave, told to another", 0, len(told - presents))


def _sums(outcome: Outcome) -> Iterator[Check]:
    """What the analytics layer counts in two ways must come to the same (DESIGN §6)."""
    for key, journey_id in outcome.world.journeys.items():
        for one in journey_numbers(journey_id).sums:
            yield Check(f"sum of {key}: {one.label}", one.total, sum(part.count for part in one.parts))


def _rest() -> Iterator[Check]:
    yield Check("dead letters", 0, DeadLetter.objects.count())
    yield Check("work still waiting anywhere", {}, waiting())


def _refused(journey: str, world: World) -> dict[str, int]:
    rows = EntryRefusal.objects.filter(journey_id=world.journeys[journey]).values_list("reason")
    return dict(rows.annotate(number=Count("id")))


def _ends(world: World) -> Counter[tuple[str, str]]:
    """Runs by journey and the state they ended in; of other statuses, by status."""
    keys = {id_: key for key, id_ in world.journeys.items()}
    versions = dict(JourneyVersion.objects.values_list("id", "journey_id"))
    ends: Counter[tuple[str, str]] = Counter()
    for version, status, state in Run.objects.values_list("version_id", "status", "state"):
        key = keys[versions[version]]
        ended = status == Run.Status.COMPLETED
        ends[key, JOURNEYS[key]["states"][state]["name"] if ended else f"status {status}"] += 1
    return ends


def _count(template: str, address: str, state: State) -> int:
    return Message.objects.filter(template_version__template__key=template, address__value=address, state=state).count()


def _unknown_by_template() -> Counter[str]:
    """Of other channels than mail."""
    rows = Message.objects.filter(state=State.UNKNOWN).exclude(channel="email")
    return Counter(rows.values_list("template_version__template__key", flat=True))


def _messages(*states: State) -> set[tuple[str, str]]:
    """Mails: what they are, and to whom."""
    rows = Message.objects.filter(state__in=states, channel="email")
    return set(rows.values_list("template_version__template__key", "address__value"))
