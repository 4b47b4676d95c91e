"""Several at once: workers that send, and pages of one visitor that tell what was done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from channels.dispatch import dispatch_due
from channels.models import InAppItem, Message, Receipt
from channels.onscreen.marks import Mark, mark_items
from customers import keys
from customers.visitors import profiles
from tests.channels.onscreen.stage import NOW, Shop

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*doings: Callable[[], object]) -> None:
    def closing(doing: Callable[[], object]) -> None:
        try:
            doing()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(doings)) as pool:
        list(pool.map(closing, doings))


def test_workers_make_one_item_of_each_message(shop: Shop) -> None:
    messages = []
    for n in range(20):
        ana = shop.customer()
        shop.grant(shop.profile(ana, "user_id", f"u-{n}"))
        messages.append(shop.write(ana))

    at_once(*[lambda: dispatch_due(shop.connectors["in_app"].pk, NOW)] * 4)

    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert sorted(InAppItem.objects.values_list("message_id", flat=True)) == sorted(messages)


def test_pages_of_one_visitor_never_stand_in_each_others_way(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    for _n in range(10):
        shop.send(ana)
    items = list(InAppItem.objects.order_by("pk").values_list("pk", flat=True))
    visitor = profiles.find(_writer(shop), "u-17", "", NOW)
    orders = [items, items[::-1], items[5:] + items[:5]]

    at_once(*[lambda ids=ids: mark_items(visitor, shop.brand.pk, {key: [Mark.READ, Mark.CLICKED] for key in ids}, NOW)
              for ids in orders])  # fmt: skip

    assert Receipt.objects.count() == 20
    assert not InAppItem.objects.filter(clicked_at=None).exists()


def _writer(shop: Shop) -> keys.Writer:
    found = keys.find(shop.key.public, NOW)
    assert found is not None
    return found
