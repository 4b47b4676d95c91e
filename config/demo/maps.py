"""The journey map of each brand: what people ask and feel on their way, and where the brand meets them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from config.demo.brands import BrandPlan
from customers.models import Brand, Squad, SquadMember
from journeys.maps.edit import add
from journeys.models import JourneyMap, MapChannel, MapStage, Touchpoint

Role = SquadMember.Role


class Stage(NamedTuple):
    name: str
    question: str
    feeling: str
    good_experience: str
    next_step: str


STAGES: Final = (
    Stage("Awareness", "Is there better coffee than the supermarket's?", "Curious, a little sceptical",
          "A smell and a story at the counter", "Look around in the shop"),
    Stage("Consideration", "Which of these will I like?", "Overwhelmed by names of regions",
          "Three coffees to choose from instead of thirty", "Open an account"),
    Stage("Activation", "Do they get how I take my coffee?", "Willing, but busy",
          "A taste profile in one minute", "Fill in the taste profile"),
    Stage("Purchase", "Is it worth the money, and is it fresh?", "Ready, wary of delivery costs",
          "One price, a roasting date, a delivery day", "Order"),
    Stage("Payment", "Did it work?", "Impatient, sometimes embarrassed", "A code that just works", "Pay"),
    Stage("Retention", "Do they still know me?", "Comfortable", "A bag that comes before the last one is empty",
          "Join the coffee club"),
)  # fmt: skip
CHANNELS: Final = ("web", "store", "email", "push", "whatsapp", "sms", "call_centre")


@dataclass(frozen=True, slots=True)
class Stop:
    """A touchpoint; `step` is the (journey, step) that realises it."""

    stage: str
    channel: str
    name: str
    customer_is: str
    customer_wants: str
    removes_friction: str
    next_step: str
    expected_event: str = ""
    step: tuple[str, str] | None = None
    arrival_event: str = ""
    role: str = ""
    is_critical: bool = False
    conversion_days: int = 7
    message: str = ""


STOPS: Final = (
    Stop("Awareness", "store", "Tasting at the counter", "Somebody with a flat white in hand", "To know what it is",
         "Where it grows and who roasted it", "Take a card along", arrival_event="store.purchased"),
    Stop("Awareness", "email", "Letter from the farm", "Somebody who bought once, at the counter",
         "A reason to look again", "The harvest in three pictures", "Look around in the shop"),
    Stop("Consideration", "web", "Product page", "A visitor, unknown to us", "To choose without an expert",
         "Tastes like …, goes with …", "Put something into the cart", arrival_event="product.viewed"),
    Stop("Activation", "email", "Welcome", "Just registered, not activated", "To be done with it",
         "One minute, and every suggestion fits", "Fill in the taste profile", "account.activated",
         ("onboarding", "welcome"), role=Role.PROCESS_OWNER, is_critical=True,
         message="Tell us how you take your coffee."),
    Stop("Activation", "push", "Nudge after two days", "Registered, distracted", "No more forms",
         "First delivery is on us", "Fill in the taste profile", "account.activated", ("onboarding", "nudge"),
         role=Role.CHANNEL_OWNER, conversion_days=3),
    Stop("Activation", "email", "Last call", "Registered, not convinced", "To be left in peace, or a good reason",
         "Free delivery until Sunday, then silence", "Fill in the taste profile", "account.activated",
         ("onboarding", "last-call"), role=Role.PROCESS_OWNER, conversion_days=4),
    Stop("Purchase", "push", "Cart, after 30 minutes", "Was about to buy", "To finish when there is a minute",
         "It is still there", "Order", "order.completed", ("abandoned-cart", "push"), role=Role.CHANNEL_OWNER,
         is_critical=True, conversion_days=1, message="… is waiting in your cart."),
    Stop("Purchase", "whatsapp", "Cart, the next day", "Had a doubt", "To ask a person",
         "Any question about grind or delivery?", "Order or ask", "order.completed",
         ("abandoned-cart", "whatsapp"), role=Role.CHANNEL_OWNER, conversion_days=3),
    Stop("Payment", "email", "Payment code again", "Ordered, the code has expired or was lost",
         "The code, nothing else", "A code that works, until tonight", "Pay", "payment.completed",
         ("payment-recovery", "remind-code"), role=Role.DATA_OWNER, is_critical=True, conversion_days=2),
    Stop("Payment", "email", "Payment failed", "Ordered, the card was refused", "Another way to pay",
         "Try again, or choose another way", "Pay", "payment.completed", ("payment-recovery", "remind"),
         role=Role.DATA_OWNER, conversion_days=2),
    Stop("Retention", "store", "Regulars' coffee", "Knows the barista", "To be recognised", "The usual?",
         "Show the card", arrival_event="store.purchased"),
    Stop("Retention", "whatsapp", "Reorder in one word", "The bag is nearly empty", "Not to run out",
         "Reply YES and it is on its way", "Join the coffee club", "subscription.started"),
    Stop("Retention", "call_centre", "A person who answers", "Something went wrong", "To be taken seriously",
         "We will send another one today", "Stay", arrival_event="support.contacted", is_critical=True),
)  # fmt: skip


def draw_map(plan: BrandPlan, brand: Brand, squad: Squad, now: datetime) -> dict[tuple[str, str], Touchpoint]:
    """Make the brand's map; return the touchpoints that steps realise, by (journey, step)."""
    drawn = JourneyMap.objects.create(
        brand=brand,
        squad=squad,
        name=f"{plan.name}: from the first cup to the coffee club",
        persona="Buys beans two or three times a month, at home and on the way to work.",
    )
    common: dict[str, Any] = {"by": None, "now": now}
    stages = {stage.name: add(MapStage(map=drawn, **stage._asdict()), **common) for stage in STAGES}
    channels = {kind: add(MapChannel(map=drawn, kind=kind), **common) for kind in CHANNELS}
    placed = {}
    for stop in STOPS:
        touchpoint = Touchpoint(
            map=drawn,
            stage=stages[stop.stage],
            channel=channels[stop.channel],
            name=stop.name,
            customer_is=stop.customer_is,
            customer_wants=stop.customer_wants,
            removes_friction=stop.removes_friction,
            next_step=stop.next_step,
            message=stop.message,
            expected_action=stop.next_step,
            expected_event=stop.expected_event,
            arrival_event=stop.arrival_event,
            conversion_days=stop.conversion_days,
            owner_role=stop.role,
            is_critical=stop.is_critical,
            intent=Touchpoint.Intent.LIVE if stop.step or stop.arrival_event else Touchpoint.Intent.PLANNED,
        )
        made = add(touchpoint, **common)
        if stop.step:
            placed[stop.step] = made
    return placed
