"""A letter in a real browser: opened, a link in it followed, and somebody told at the page of a link that ended."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from channels.models import Message, MessageContent, Receipt
from channels.receipts import apply
from customers.clock import utcnow
from tests.browser.conftest import OpenAs
from tests.channels.doubles import Recorder
from tests.channels.tracking import BROWSER, sent, words
from tests.channels.world import make_world, state


def test_a_letter_that_is_opened_and_followed_says_so(
    open_as: OpenAs, live_server: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRILHA_PUBLIC_URL = live_server.url
    Recorder.forget()
    world = make_world("recorder")
    words(world, f'<p>Hello</p><p><a href="{live_server.url}/healthz/live?from=letter#here">Go</a></p>')
    message, html, _text = sent(world)
    # Long since sent, as the reader comes to it.
    Message.objects.update(settled_at=utcnow() - timedelta(hours=1))
    page = open_as(None, "/healthz/live", user_agent=BROWSER)
    with page.expect_response(lambda answer: "/o/" in answer.url) as picture:
        page.set_content(html)
    assert picture.value.status == 200
    page.get_by_role("link", name="Go").click()
    page.wait_for_url(f"{live_server.url}/healthz/live?from=letter#here")
    later = utcnow() + timedelta(seconds=3)
    apply.apply(list(Receipt.objects.values_list("pk", flat=True)), later)
    assert list(Receipt.objects.order_by("id").values_list("happened", "link", "is_machine")) == [
        ("opened", None, False),
        ("clicked", 0, False),
    ]
    assert state(message) == ("clicked", "")

    MessageContent.objects.all().delete()
    page.set_content(html)
    page.get_by_role("link", name="Go").click()
    page.get_by_role("heading", name="This link has ended").wait_for()
    page.get_by_role("link", name="Português").click()
    page.get_by_role("heading", name="Este link acabou").wait_for()
