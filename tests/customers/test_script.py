"""`trilha.js` is served by one address that moves on and one of each version that never changes."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256, sha384
from pathlib import Path

import pytest
from django.test import Client

from customers import browser
from customers.admin.browser_keys import STUB

# Pages pin these: a released file is never changed, and never goes away. A change is a new version.
RELEASED = {
    "1.0.0": "sha384-o8b2FadlA6DyQ3c6VqJGUOKhD9N2wM1s3iC0veqR4hzUAl11TA4xcYvSqBIs/R7c",
    "1.1.0": "sha384-QQBVBMvTiwkgr9sQcAD3jEax7iBVPpBhpgcj+feYfug/JX04f3uJEmOUL5yVzO3j",
}
# Beside it: parts for what few pages need.
PARTS = {
    "trilha-inbox": {
        "1.0.1": "sha384-kJ5LAVYgxKmSEjAnWHglRLnHIO7+xnwglR+KMq5pdHwtlUjrS6U/blfO6rp6TYNa",
    },
    "trilha-slots": {
        "1.0.1": "sha384-rBjf+2hp8imb+OxSl5QRzMtrdh9to3Stapdzqz9BunAk1iZVtyQoD4uaIlRid+Ed",
    },
    "trilha-push": {
        "1.0.1": "sha384-lVSkiawbVDWPMIK452Vkdb6STAq9jP5ECpt41G9QQT2p7fWm8Nei5fjNvI6X6+/W",
    },
    "trilha-sw": {
        "1.1.0": "sha384-bEFJ+jvaw+9QtYamxP1JitSNTHjfTBnyWLfDyYUFN+zBrDdJulmD9n4ENKs5FI8G",
    },
}


def test_released_files_are_what_they_were() -> None:
    assert {version: script.integrity for version, script in browser.scripts().items()} == RELEASED


def test_the_newest_says_which_it_is() -> None:
    text = browser.newest().text.decode()
    assert re.search(r'const VERSION = "(.+)"', text).group(1) == browser.newest().version == list(RELEASED)[-1]  # type: ignore[union-attr]  # it is there
    assert len(browser.newest().packed) < 8_000


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/js/trilha.js", "max-age=300"), ("/js/trilha-1.1.0.js", "max-age=31536000, immutable")],
)
def test_it_is_kept_as_long_as_it_stays(path: str, kept: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert kept in answer["Cache-Control"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "sha384-" + b64encode(sha384(answer.content).digest()).decode() == browser.newest().integrity
    assert Client().get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert "Set-Cookie" not in answer


def test_it_is_packed_for_who_takes_that() -> None:
    answer = Client().get("/js/trilha.js", headers={"Accept-Encoding": "br, gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert gzip.decompress(answer.content) == browser.newest().text
    assert "Content-Encoding" not in Client().get("/js/trilha.js", headers={"Accept-Encoding": "gzip;q=0"})


@pytest.mark.parametrize("version", ["0.9.9", "1.0.0.min", "..%2f__init__", "1.0.0%00"])
def test_no_other_file_is_served(version: str) -> None:
    assert Client().get(f"/js/trilha-{version}.js").status_code == 404


def test_it_is_read_only() -> None:
    assert Client().post("/js/trilha.js").status_code == 405


def test_it_needs_nothing_from_elsewhere() -> None:
    text = (Path(browser.__file__).parent / f"trilha-{browser.newest().version}.js").read_text()
    assert re.findall(r"https?://|import |eval\(|innerHTML|document\.write", text) == []


def test_the_document_shows_the_very_lines_and_their_digest() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "browser.md").read_text()
    assert f"<script>{STUB}</script>" in text
    assert "sha256-" + b64encode(sha256(STUB.encode()).digest()).decode() in text
    assert f"/js/trilha-{browser.newest().version}.js" in text


@pytest.mark.parametrize("name", list(PARTS))
def test_the_parts_beside_it_are_kept_and_served_the_same(name: str) -> None:
    assert {version: one.integrity for version, one in browser.scripts(name).items()} == PARTS[name]
    newest = browser.newest(name)
    for path, kept in ((f"/js/{name}.js", "max-age=300"), (f"/js/{name}-{newest.version}.js", "immutable")):
        answer = Client().get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript; charset=utf-8")
        assert answer.content == newest.text
        assert kept in answer["Cache-Control"]
        # A worker of the site's own may load it only if it may be read from there.
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert Client().get(f"/js/{name}-0.9.9.js").status_code == 404
    text = newest.text.decode().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|import |eval\(|innerHTML|document\.write|\.style\b", text) == []
    assert len(newest.packed) < 8_000


def test_all_parts_are_known_by_name() -> None:
    assert set(browser.NAMES) == {"trilha", *PARTS}
