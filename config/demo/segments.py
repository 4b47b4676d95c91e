"""Whom the company speaks of: segments by rule, and a list kept by hand."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from config.demo.company import Company, Shop
from customers import jobs
from customers.models import Customer, Profile, Segment
from customers.segments import define, lists

_BUILD_SECONDS: Final = 60.0
_PANEL: Final = 24
PANEL: Final = "tasting_panel"


class Wanted(NamedTuple):
    key: str
    name: str
    description: str
    rule: dict[str, Any]


_BOUGHT: Final[dict[str, Any]] = {"leaf": "event_count", "event": "order.completed", "op": "at_least"}
WANTED: Final = (
    Wanted(
        "buyers",
        "Bought in the last 30 days",
        "At least one order in the shop or the app.",
        {**_BOUGHT, "times": 1, "within": "P30D"},
    ),
    Wanted(
        "regulars",
        "Regulars",
        "Three orders in thirty days: the ones who notice when something is not right.",
        {**_BOUGHT, "times": 3, "within": "P30D"},
    ),
    Wanted(
        "drifting_away",
        "Drifting away",
        "They ordered before, and not for three weeks.",
        {
            "all": [
                {**_BOUGHT, "times": 1},
                {"not": {**_BOUGHT, "times": 1, "within": "P21D"}},
            ]
        },
    ),
    Wanted(
        "regulars_with_app",
        "Regulars with the app",
        "Whom a push reaches.",
        {
            "all": [
                {"leaf": "segment", "key": "regulars"},
                {"leaf": "event_count", "event": "app.opened", "op": "at_least", "times": 1},
            ]
        },
    ),
)  # fmt: skip


def draw_up(company: Company, now: datetime) -> None:
    """Write the segments down and build them; the panel is asked by hand."""
    for shop in company.shops.values():
        for wanted in WANTED:
            segment = Segment.objects.create(
                brand=shop.brand,
                squad=shop.squads["Welcome"],
                key=wanted.key,
                name=wanted.name,
                description=wanted.description,
            )
            define.set_rule(segment, wanted.rule, now)
            jobs.work_on(lambda: now, _BUILD_SECONDS)
        _call_a_panel(shop, now)


def _call_a_panel(shop: Shop, now: datetime) -> None:
    panel = Segment.objects.create(
        brand=shop.brand,
        squad=shop.squads["Welcome"],
        key=PANEL,
        name="Tasting panel",
        description="They said in the store that they would like to taste what is new.",
        is_static=True,
    )
    define.open_list(panel, now)
    panel.refresh_from_db()
    carded = Profile.objects.filter(identifier__kind_id="user_id", identifier__namespace=shop.brand.pk)
    asked = Customer.objects.filter(profiles__in=carded).order_by("created_at", "pk")
    lists.put(panel, list(asked.values_list("pk", flat=True).distinct()[:_PANEL]), now, inside=True)
