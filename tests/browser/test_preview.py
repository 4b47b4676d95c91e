"""A template from its first words to a test in somebody's mailbox, in a real browser, in both languages and sizes."""

import os
from datetime import timedelta
from email import message_from_string, policy
from typing import Final

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect

from channels.models import Message, TemplateVersion, TestSend
from channels.test_sends.send import send_all
from config.loop.smtp_sink import SmtpSink
from customers import clock
from customers.models import ProfileBrand, Trait
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.channels.world import World, make_world, smtp_config

DESK: Final[ViewportSize] = {"width": 1280, "height": 900}
LETTER: Final = """<mjml><mj-head><mj-title>{title}</mj-title></mj-head><mj-body background-color="#f4f1ea">
<mj-section background-color="#ffffff"><mj-column>
<mj-text font-size="20px" color="#2b2118">{hello} {{{{ customer.first_name | default: "{you}" }}}}</mj-text>
<mj-button href="https://acme.test/menu" background-color="#7a3b12" color="#ffffff">{button}</mj-button>
<mj-text color="#2b2118"><a href="{{{{ unsubscribe_url }}}}" style="color:#7a3b12">{leave}</a><br/>
{{{{ brand.postal_address }}}}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""
WORDS: Final = {
    "en": {"title": "The menu", "hello": "Good morning,", "you": "you", "button": "See the menu", "leave": "No more"},
    "pt-BR": {"title": "O cardápio", "hello": "Bom dia,", "you": "você", "button": "Ver o cardápio", "leave": "Sair"},
}
# What the pages call it: to look without saving, to show, to send, and what is said when all is in order.
SAID: Final = {
    "en": ("Preview and check, saving nothing", "Show", "Send the test", "Nothing was found", "1 test is on its way."),
    "pt-BR": ("Pré-visualizar e verificar, sem salvar", "Mostrar", "Enviar o teste", "Nada foi encontrado",
              "1 teste está a caminho."),
}  # fmt: skip


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world()
    world.brand.postal_address = "Rua Um, 1, São Paulo"
    world.brand.save()
    return world


def write(page: Page, world: World) -> None:
    for n, (locale, words) in enumerate(WORDS.items()):
        page.locator(f"[name=texts-{n}-locale]").fill(locale)
        page.locator(f"[name=texts-{n}-subject]").fill(words["title"])
        page.locator(f"[name=texts-{n}-mjml]").fill(LETTER.format(**words))
        page.locator(f"[name=texts-{n}-html]").fill("")
        page.locator(f"[name=texts-{n}-text]").fill("")
    assert page.locator("[name=template]").input_value() == str(world.version.template_id)


def seen(page: Page) -> list[str]:
    """What the mail says, as it stands in its two frames; on a phone there is the narrow one alone."""
    shown = range(2) if page.locator(".preview-wide").is_visible() else (1,)
    frames = [page.frame_locator(".preview-mail").nth(n).locator("body") for n in shown]
    return [" ".join(frame.inner_text().split()) for frame in frames]


def look(page: Page, name: str) -> None:
    """A picture to be looked at, where somebody asks for it."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", list(WORDS))
def test_it_is_written_looked_at_saved_looked_at_as_a_person_and_sent_to_oneself(
    world: World, root: User, open_as: OpenAs, language: str, viewport: ViewportSize
) -> None:
    draft, show, send, in_order, on_its_way = SAID[language]
    User.objects.filter(pk=root.pk).update(email="root@acme.example")
    person = world.person("ana@example.com")
    at = clock.utcnow() - timedelta(days=1)
    Trait.objects.create(
        profile=person.profile, name="first_name", value="Ana", valid_from=at, recorded_at=at, event_id=1
    )
    ProfileBrand.objects.create(profile=person.profile, brand=world.brand, first_seen_at=at)
    words = WORDS[language]
    page = open_as(
        root, f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}",
        locale=language, viewport=viewport,
    )  # fmt: skip
    write(page, world)
    with page.context.expect_page() as opened:
        page.get_by_role("button", name=draft).click()
    beside = opened.value
    beside.wait_for_load_state()
    expect(beside.locator("main")).to_contain_text(in_order)
    assert TemplateVersion.objects.filter(template=world.version.template).count() == 1
    beside.locator("[name=locale]").select_option(language)
    beside.get_by_role("button", name=show, exact=True).click()
    assert seen(beside)[0].startswith(f"{words['hello']} {words['you']} {words['button']}")
    beside.close()

    page.locator("[name=_save]").click()
    version = TemplateVersion.objects.filter(template=world.version.template).latest("number")
    assert version.number == 2
    page.goto(reverse("admin:channels_templateversion_preview", args=[version.pk]))
    page.locator("[name=person]").first.fill("ana@example.com")
    page.locator("#preview-form [name=locale]").select_option(language)
    page.get_by_role("button", name=show, exact=True).click()
    assert {said.startswith(f"{words['hello']} Ana {words['button']}") for said in seen(page)} == {True}
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    look(page, f"preview-{language}-{viewport['width']}")
    assert violations(page) == []

    with SmtpSink() as sink:
        world.connector.provider, world.connector.config = "smtp", smtp_config(sink.port)
        world.connector.save()
        page.get_by_role("button", name=send).click()
        expect(page.locator("body")).to_contain_text(on_its_way)
        assert send_all(clock.utcnow, 5)
        (mail,) = [message_from_string(one.data, policy=policy.default) for one in sink.accepted()]
    mark = "[Test]" if language == "en" else "[Teste]"
    assert (mail["To"], mail["Subject"]) == ("root@acme.example", f"{mark} {words['title']}")
    assert (TestSend.objects.get().state, Message.objects.count()) == ("sent", 0)


def test_words_that_cannot_be_read_are_told_and_the_form_stays_as_it_was(
    world: World, root: User, open_as: OpenAs
) -> None:
    page = open_as(root, f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}")
    page.locator("[name=texts-0-text]").fill("Hello {{ customer")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name=SAID["en"][0]).click()
    expect(opened.value.locator("main")).to_contain_text("not closed in line 1")
    assert page.locator("[name=texts-0-text]").input_value() == "Hello {{ customer"
