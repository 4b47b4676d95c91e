"""Products handed in as a file, found and looked at; and a message written with variants: in both languages, desk and
phone."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from channels.catalogue.coviews import count
from channels.models import Product
from customers import jobs
from customers.clock import utcnow
from customers.models import Source
from journeys.models import Journey
from tests.browser.authoring import AuthorForm
from tests.browser.conftest import OpenAs
from tests.browser.test_accessibility import violations
from tests.browser.test_import import picture
from tests.channels import catalogue
from tests.channels.catalogue import look
from tests.journeys.stage import Stage, make_stage

FILE = (
    "SKU;Nome;Preço;Imagem;Em estoque;Categoria;Cor\n"
    "MUG-1;Caneca azul;1.049,90;https://acme.example/m.png;sim;Cozinha;azul\n"
    "CUP-1;Xícara;19,90;;não;Cozinha;\n"
    "BAD-1;Ruim;1,00;javascript:alert(1);sim;;\n"
)


@pytest.fixture
def shop(transactional_db: None) -> Stage:
    stage = make_stage()
    stage.now = utcnow().replace(microsecond=0) - timedelta(hours=1)
    stage.brand.currency = "BRL"
    stage.brand.save()
    return stage


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_a_file_of_products_goes_all_the_way(
    root: User, open_as: OpenAs, shop: Stage, tmp_path: Path, language: str
) -> None:
    (tmp_path / "produtos.csv").write_text(FILE, "utf-8")
    page = open_as(root, reverse("admin:channels_product_changelist"), locale=language)
    picture(page, f"products-none-{language}")
    page.locator("a[href$='?rows=products']").click()
    expect(page.locator("[name=rows]")).to_have_value("products")
    page.select_option("[name=source]", label=str(Source.objects.get(key="shop")))
    page.set_input_files("[name=file]", tmp_path / "produtos.csv")
    page.locator("form:has([name=file]) button[type=submit]").click()
    expect(page.locator("[name=to-0]")).to_have_value("part:key")
    expect(page.locator("[name=as-2]")).to_have_value("money")
    expect(page.locator("[name=to-6]")).to_have_value("property")
    expect(page.locator("tbody .t-badge--bad")).to_have_text("invalid_address")
    picture(page, f"products-draft-{language}")
    assert violations(page) == []
    page.locator("[name=do][value=begin]").click()
    jobs.work_on(utcnow, seconds=60)
    expect(page.locator("#import-progress[data-over=yes]")).to_be_visible(timeout=15_000)
    assert Product.objects.count() == 2

    catalogue.recommend(shop)
    for user in ("u1", "u2"):
        shop.know(user)
        look(shop, user, "MUG-1", "CUP-1", hours=2)
    count(shop.brand.pk, utcnow())
    page.goto(reverse("admin:channels_product_changelist"))
    expect(page.get_by_text("1.049,90" if language == "pt-br" else "1,049.90")).to_be_visible()
    picture(page, f"products-{language}")
    assert violations(page) == []
    # What is not to be had is recommended with nothing, and the other with it.
    page.goto(reverse("admin:channels_product_change", args=[Product.objects.get(key="CUP-1").pk]))
    expect(page.get_by_role("link", name="Caneca azul")).to_be_visible()
    picture(page, f"product-{language}")
    assert violations(page) == []


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_a_message_is_written_with_variants(root: User, open_as: OpenAs, shop: Stage, language: str) -> None:
    journey = Journey.objects.create(brand=shop.brand, key="offer", name="Offer")
    page = open_as(root, reverse("admin:journeys_journey_author", args=[journey.pk]), locale=language)
    form = AuthorForm(page)
    form.press("step:message")
    at = "steps/0"
    form.choose(f"{at}/channel", "email")
    # What may be left alone is folded.
    page.evaluate("document.querySelectorAll('#author details').forEach(one => { one.open = true })")
    for number, share in enumerate(("60", "30")):
        form.press(f"row:/{at}/variants")
        form.write(f"{at}/variants/{number}/key", f"v{number}")
        form.choose(f"{at}/variants/{number}/template", "note")
        form.write(f"{at}/variants/{number}/share", share)
    page.locator('button[name="do"][value="save"]').last.click()
    page.wait_for_load_state()
    picture(page, f"variants-{language}")
    assert violations(page) == []
    journey.refresh_from_db()
    [step] = journey.draft["steps"]
    assert step["variants"] == [
        {"key": "v0", "template": "note", "share": 60},
        {"key": "v1", "template": "note", "share": 30},
    ]
    assert "template" not in step
