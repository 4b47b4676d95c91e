"""The camera: Chromium walks the pages, once a language, and takes each in both themes and sizes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from config.screenshots.pages import Page as Shown

Theme = Literal["light", "dark"]
LANGUAGES: Final = ("en", "pt-br")
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
SIZES: Final[dict[str, ViewportSize]] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_QUIET: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# Chart.js draws its lines in about a second.
_SETTLE_MS: Final = 1200
_WEAR: Final = """theme => {
    document.documentElement.classList.remove("light", "dark");
    document.documentElement.classList.add(theme);
}"""


class NoBrowser(Exception):
    """There is no Chromium on the PATH."""


@dataclass(frozen=True, slots=True)
class Picture:
    page: Shown
    language: str
    theme: Theme
    size: str
    file: Path


class Camera:
    def __init__(self, browser: Browser, url: str, session: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._session = session
        self._folder = folder
        # What a page asked for and did not get: without its sheet it would make a worthless picture.
        self._missing: list[str] = []

    def walk(self, pages: list[Shown], language: str) -> Iterator[Picture]:
        """All pages in one language; one that does not answer with 200, or lacks a part, stops the walk."""
        with self._visit(language) as staff, self._visit(language, logged_in=False) as stranger:
            for shown in pages:
                page = staff if shown.staff else stranger
                answer = page.goto(shown.path, wait_until="networkidle")
                if answer is None or answer.status != 200:
                    raise RuntimeError(f"{shown.path} answers {answer and answer.status}")
                if self._missing:
                    raise RuntimeError(f"{shown.path} lacks {', '.join(self._missing)}")
                if shown.full:
                    page.wait_for_timeout(_SETTLE_MS)
                yield from self._take(page, shown, language)

    def _take(self, page: Page, shown: Shown, language: str) -> Iterator[Picture]:
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.evaluate(_WEAR, theme)
                file = self._folder / f"{language}-{theme}-{size}-{shown.name}.png"
                page.screenshot(path=file)
                yield Picture(shown, language, theme, size, file)

    @contextmanager
    def _visit(self, language: str, *, logged_in: bool = True) -> Iterator[Page]:
        context: BrowserContext = self._browser.new_context(base_url=self._url, viewport=SIZES["desktop"])
        cookies = {"django_language": language} | ({"sessionid": self._session} if logged_in else {})
        context.add_cookies([{"name": name, "value": value, "url": self._url} for name, value in cookies.items()])
        try:
            page = context.new_page()
            page.on("requestfailed", lambda request: self._missing.append(request.url))
            yield page
        finally:
            context.close()


@contextmanager
def camera(url: str, session: str, folder: Path) -> Iterator[Camera]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise NoBrowser(f"no browser on the PATH: one of {', '.join(_NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_QUIET))
        try:
            yield Camera(browser, url, session, folder)
        finally:
            browser.close()
