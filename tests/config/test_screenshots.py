"""The pages that are photographed: every one opens, none is taken twice, and what the README shows is among them."""

from collections import Counter
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from PIL import Image

from config.screenshots.camera import Picture
from config.screenshots.pages import Page, pages
from config.screenshots.sheets import make_sheet
from tests.config.one_of_each import make_one_of_each


@pytest.mark.django_db
def test_every_page_opens_and_has_a_name_of_its_own() -> None:
    make_one_of_each()
    user = get_user_model().objects.create_superuser("root")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    found = pages(user)
    assert [name for name, times in Counter(page.name for page in found).items() if times > 1] == []
    answers = {page.path: client.get(page.path).status_code for page in found if page.staff}
    assert {path: code for path, code in answers.items() if code != 200} == {}
    in_full = {page.full for page in found} - {""}
    assert in_full >= {
        "home",
        "customer",
        "message",
        "run",
        "author",
        "numbers",
        "matrix",
        "metro",
        "quarantine",
        "outbox",
    }


def test_a_sheet_holds_every_picture(tmp_path: Path) -> None:
    pictures = []
    for number in range(7):
        file = tmp_path / f"{number}.png"
        Image.new("RGB", (1440, 900), "red").save(file)
        pictures.append(Picture(Page(f"page {number}", "/"), "en", "light", "desktop", file))
    make_sheet(pictures, tmp_path / "sheets" / "en.webp")
    with Image.open(tmp_path / "sheets" / "en.webp") as sheet:
        # Six in a row, so the seventh makes a second one.
        assert sheet.size == (6 * 412 + 12, 2 * (250 + 28) + 12)
        red, green, _blue = sheet.convert("RGB").getpixel((200, 12 + 278 + 16 + 100))  # type: ignore[misc]  # three bands
    assert (red > 200, green < 80) == (True, True)
