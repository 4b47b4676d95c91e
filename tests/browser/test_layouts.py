"""A letter is written as a layout, at a desk and on a phone, and its page fits the screen of whoever reads it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from channels.liquid import Reader
from channels.models import TemplateText, TemplateVersion
from channels.templates import Text, render
from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.channels.world import NOW, make_world

LAYOUT = """<mjml><mj-body>
<mj-section><mj-column><mj-text>Hi {{ customer.first_name }}</mj-text></mj-column>
<mj-column><mj-button href="{{ unsubscribe_url }}">Leave</mj-button></mj-column></mj-section>
</mj-body></mjml>"""
CONTEXT = {"customer": {"first_name": "Ana"}, "unsubscribe_url": "https://a.example/leave"}


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_layout_is_written_mended_and_read(screen: Any, root: User, open_as: OpenAs, tmp_path: Path) -> None:
    world = make_world()
    address = f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}"
    page = open_as(root, address, viewport=screen)
    page.locator("#id_texts-0-locale").fill("en")
    # It begins with the words of the version before.
    for written in ("html", "text"):
        page.locator(f"#id_texts-0-{written}").fill("")
    page.locator("#id_texts-0-mjml").fill(LAYOUT.replace("mj-button", "mj-knob"))
    page.locator("[name=_save]").first.click()
    expect(page.get_by_text("There is no element mj-knob, in line 3.")).to_be_visible()
    page.screenshot(path=tmp_path / "refused.png", full_page=True)

    page.locator("#id_texts-0-mjml").fill(LAYOUT)
    page.locator("[name=_save]").first.click()
    page.wait_for_url("**/templateversion/**")
    made = TemplateText.objects.get(version=TemplateVersion.objects.get(number=2), locale="en")
    assert made.text == "Hi {{ customer.first_name }}\n\nLeave ({{ unsubscribe_url }})\n"

    words = Text("en", "", made.html, made.text)
    page.set_content(render([words], "en", "en", CONTEXT, Reader(NOW)).html)
    name, leave = page.get_by_text("Hi Ana").bounding_box(), page.get_by_text("Leave").bounding_box()
    assert name is not None
    assert leave is not None
    # Beside each other where there is room, else one below the other; never wider than the screen.
    assert (leave["x"] > name["x"] + name["width"]) == (screen is DESKTOP)
    assert (leave["y"] > name["y"] + name["height"]) == (screen is PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
    page.screenshot(path=tmp_path / "letter.png", full_page=True)
