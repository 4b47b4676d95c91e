"""The mails of the demo company: they are as a form would have saved them, filled in for anybody, and in order."""

import pytest

from channels import checks
from channels.dispatch.compose import Texts
from channels.models import TemplateVersion
from channels.previews import Ask, Somebody, show
from config.demo import company
from customers.models import Brand
from tests.channels.world import NOW

EVENT = {"order_id": "4711", "total": 12990, "currency": "BRL", "method": "pix", "item_name": "Mogiana", "stamps": 10}


@pytest.fixture
def brands(db: None) -> list[Brand]:
    company.found(NOW)
    return list(Brand.objects.order_by("key"))


def test_nothing_is_wrong_with_any_template_of_both_brands(brands: list[Brand]) -> None:
    found = {}
    for version in TemplateVersion.objects.select_related("template__brand"):
        texts = Texts.load([version.pk]).by_version[version.pk]
        template = checks.Template(version.template.channel, version.template.brand, texts)
        told = [one.text for one in checks.findings(template) if one.level is not checks.Level.NOTE]
        if told:
            found[version.template.brand.key, version.template.key] = told
    # What is no marketing needs no way out of an SMS.
    no_way_out = ["No way out is named: marketing says by which word it ends, such as STOP or SAIR."]
    assert set(map(tuple, found.values())) <= {tuple(no_way_out * 2)}
    assert {key for _brand, key in found} <= {"pay-sms"}


@pytest.mark.parametrize(
    ("locale", "price", "leave"),
    [("pt-BR", "R$\xa0129,90", "Não quero mais receber"), ("en", "R$129.90", "Unsubscribe")],
)
def test_each_is_filled_in_for_somebody_in_their_language(
    brands: list[Brand], locale: str, price: str, leave: str
) -> None:
    for version in TemplateVersion.objects.select_related("template__brand"):
        texts = Texts.load([version.pk]).by_version[version.pk]
        ask = Ask(texts, version.template.brand, NOW, Somebody({"first_name": "Ana"}, locale), EVENT)
        shown = show(ask)
        assert shown.rendered is not None, (version, shown.fault)
        assert shown.rendered.locale == locale
        if version.template.channel == "email":
            page, plain = shown.rendered.html, shown.rendered.text
            assert f'lang="{locale}"' in page
            assert leave in page
            assert leave in plain
            assert "block" not in plain
            assert ("PRICE" in plain) is False
        if version.template.key == "pay-code":
            assert price in plain
            assert price in page
