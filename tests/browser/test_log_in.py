"""Log-in in two steps as a person takes them: set-up with an app, recovery codes, and the code next time."""

import re
from base64 import b32decode
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django_otp.oath import hotp
from playwright.sync_api import Page, expect

from customers import clock
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations

PASSWORD = "a long way to go"
# A code is taken once, and the app shows a new one every half minute.
LATER = timedelta(minutes=1)


def give_name_and_password(page: Page) -> None:
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")


def give_code(page: Page, secret: str, at: datetime) -> None:
    key = b32decode(secret + "=" * (-len(secret) % 8))
    page.fill("[name=code]", f"{hotp(key, int(at.timestamp()) // 30):06}")
    page.click("main [type=submit], form [type=submit]")


def test_a_second_step_is_set_up_and_asked_for_next_time(root: User, open_as: OpenAs) -> None:
    root.set_password(PASSWORD)
    root.save()
    page = open_as(root, "/admin/two-factor/", viewport=PHONE)
    expect(page.get_by_role("heading", name="Set up two-factor log-in")).to_be_visible()
    page.click("summary")
    assert violations(page) == []
    secret = page.locator(".door-secret").inner_text()
    page.fill("[name=code]", "000000")
    page.click("form [type=submit]")
    expect(page.get_by_text("That was not right")).to_be_visible()
    assert violations(page) == []
    give_code(page, secret, clock.utcnow() - LATER / 2)
    expect(page.locator(".door-codes li").first).to_be_visible()
    assert violations(page) == []
    page.goto("/admin/two-factor/")
    expect(page.get_by_text(re.compile("recovery codes are left"))).to_be_visible()
    assert violations(page) == []

    again = open_as(None, "/admin/login/")
    give_name_and_password(again)
    expect(again.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert violations(again) == []
    again.goto("/admin/")
    expect(again.locator("[name=password]")).to_be_visible()
    give_name_and_password(again)
    give_code(again, secret, clock.utcnow() + LATER / 2)
    expect(again.get_by_role("heading", name="On its way")).to_be_visible()
