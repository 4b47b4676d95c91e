"""The demo's shop page: there in the demo only, with a key that is good from where it is served."""

from typing import Any

import pytest
from django.test import Client

from config.demo import company, staff
from config.demo.brands import BRANDS
from customers import clock
from customers.models import WriteKey

pytestmark = pytest.mark.django_db

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def opened() -> company.Company:
    made = company.found(clock.utcnow())
    staff.browser_keys(made, HERE, clock.utcnow())
    return made


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("brand", [plan.key for plan in BRANDS])
def test_each_brand_has_a_page_in_the_demo(settings: Any, brand: str) -> None:
    settings.TRILHA_DEMO = True
    answer = Client().get(f"/demo/{brand}/")
    key = WriteKey.objects.get(kind="browser", source__brand__key=brand)
    assert (answer.status_code, key.origins, key.source.key) == (200, [HERE], "shop")
    assert f'data-key="{key.public}"' in answer.content.decode()
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.usefixtures("opened")
def test_there_is_none_elsewhere(settings: Any) -> None:
    settings.TRILHA_DEMO = False
    assert Client().get(f"/demo/{BRANDS[0].key}/").status_code == 404
    settings.TRILHA_DEMO = True
    assert Client().get("/demo/nobody/").status_code == 404
    WriteKey.objects.update(revoked_at=clock.utcnow())
    assert Client().get(f"/demo/{BRANDS[0].key}/").status_code == 404


def test_the_words_shown_are_those_of_the_notice(settings: Any, opened: company.Company) -> None:
    settings.TRILHA_DEMO = True
    for language, words in (("pt-br", "Quero receber novidades"), ("en", "I would like news and offers")):
        text = Client().get(f"/demo/{BRANDS[0].key}/", headers={"Accept-Language": language}).content.decode()
        assert words in text
        assert 'data-trilha-notice-version="1"' in text


def test_another_port_gets_another_key_and_the_same_keeps_it(opened: company.Company) -> None:
    staff.browser_keys(opened, HERE, clock.utcnow())
    assert WriteKey.objects.filter(kind="browser").count() == len(BRANDS)
    staff.browser_keys(opened, "http://127.0.0.1:8001", clock.utcnow())
    living = WriteKey.objects.filter(kind="browser", revoked_at=None)
    assert [key.origins for key in living] == [["http://127.0.0.1:8001"]] * len(BRANDS)


def test_handing_out_server_keys_leaves_those_of_pages_alone(opened: company.Company) -> None:
    staff.write_keys(opened, {}, clock.utcnow())
    assert WriteKey.objects.filter(kind="browser", revoked_at=None).count() == len(BRANDS)
