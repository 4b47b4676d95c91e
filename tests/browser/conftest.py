"""A real browser on a live server: Chromium, people logged in, and pages that must not complain."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

HERE = Path(__file__).parent
DESKTOP: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nobody outside is called even by a page that tries.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder wants the browser, and commits what the server is to see."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session", autouse=True)
def _database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, which Django takes for asynchronous code; it is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.fail(f"no browser on the PATH: one of {', '.join(_NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_QUIET))
        yield browser
        browser.close()


class OpenAs(Protocol):
    """`open_as(user, "/admin/")` gives a page on which that person is logged in; None is nobody."""

    def __call__(self, user: User | None, path: str = "/admin/", **context: Any) -> Page: ...


@pytest.fixture
def open_as(chromium: Browser, live_server: Any) -> Iterator[OpenAs]:
    """A browser of its own for each call; no page may raise, break its content policy or call anybody outside."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(user: User | None, path: str = "/admin/", **context: Any) -> Page:
        options = {"viewport": DESKTOP, "locale": "en", "base_url": live_server.url, **context}
        opened = chromium.new_context(**options)
        contexts.append(opened)
        # Watched, not routed: what is routed is never taken from the browser's cache.
        opened.on("request", lambda request: complaints.extend(_outside(live_server.url, request.url)))
        if user is not None:
            opened.add_cookies([_session(user, live_server.url)])
        page = opened.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda message: complaints.extend(_broken_policy(page.url, message.text)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _outside(home: str, address: str) -> list[str]:
    is_here = urlsplit(address).netloc == urlsplit(home).netloc or address.startswith(("data:", "blob:"))
    return [] if is_here else [f"called {address}"]


def _broken_policy(address: str, text: str) -> list[str]:
    return [f"{address}: {text}"] if "Content Security Policy" in text else []


def _session(user: User, home: str) -> Any:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": home}


@pytest.fixture
def root(transactional_db: None) -> User:
    """Whoever may do everything; without a password, which takes a quarter of a second to hash and nobody types."""
    made: User = get_user_model().objects.create_superuser("root")
    return made
