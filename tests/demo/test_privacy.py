"""What the company's customers have asked by law, so that those pages have something to show."""

from datetime import UTC, datetime

import pytest

from config.demo import privacy
from config.demo.brands import BRANDS
from consent.models import PrivacyRequest
from customers import audit
from customers.models import Brand
from tests.journeys.stage import make_stage

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_each_brand_has_one_of_several_kinds_in_several_states() -> None:
    stage = make_stage()
    for name in ("ana", "bia", "caio"):
        stage.know(name)
    Brand.objects.filter(pk=stage.brand.pk).update(key=BRANDS[0].key, zone=BRANDS[0].zone)
    for told in BRANDS[1:]:
        Brand.objects.create(key=told.key, name=told.key)
    assert privacy.ask(NOW) == 3
    rows = PrivacyRequest.objects.order_by("opened_at").values_list("kind", "law", "state", "due_on__day")
    assert list(rows) == [
        ("objection", "lgpd", "refused", 18), ("erasure", "lgpd", "open", 27), ("access", "lgpd", "ready", 4)
    ]  # fmt: skip
    assert audit.verify(NOW.date()) is None
