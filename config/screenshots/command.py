"""From an empty database of its own to pictures in a folder."""

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from config.demo import club, company, loading
from config.processes import Process, ProcessError, answers, free_port, web
from config.screenshots.camera import LANGUAGES, Camera, Picture, camera
from config.screenshots.pages import Page, pages
from config.screenshots.sheets import keep_full, make_sheet

_START_SECONDS = 60.0


def run(target: Path, people: int, only: Sequence[str]) -> int:
    """`only` are beginnings of page names; without any, all pages are taken."""
    loading.load(fresh=False, people=people)
    user = get_user_model().objects.filter(is_superuser=True)[0]
    wanted = [page for page in pages(user) if not only or page.name.startswith(tuple(only))]
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code; it is none.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trilha-screenshots-")))
        # Another company's system that the demo asks: what a letter pulls of it is in the preview.
        address = stack.enter_context(club.at_work())
        company.find_club(address)
        url = _serve(stack, folder, address)
        walking = stack.enter_context(camera(url, _session(user), folder))
        for language in LANGUAGES:
            _develop(_walk(walking, wanted, language), target)
    print(f"{len(wanted)} pages in {target}")
    return 0


def _serve(stack: ExitStack, folder: Path, called: str) -> str:
    port = free_port()
    environment = {"LOG_LEVEL": "WARNING", "TRILHA_CALL_HOSTS": called}
    server: Process = stack.enter_context(web(port, environment, folder))
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + _START_SECONDS
    while not answers(f"{url}/healthz/live"):
        if not server.is_alive() or time.monotonic() > until:
            raise ProcessError(f"the web server does not come up:\n{server.tail()}")
        time.sleep(0.1)
    return url


def _session(user: User) -> str:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _walk(walking: Camera, wanted: list[Page], language: str) -> list[Picture]:
    taken = list(walking.walk(wanted, language))
    print(f"{language}: {len(taken)} pictures", flush=True)
    return taken


def _develop(taken: list[Picture], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    sheets: dict[str, list[Picture]] = defaultdict(list)
    for picture in taken:
        sheets[f"{picture.language}-{picture.theme}-{picture.size}"].append(picture)
        if picture.page.full and _is_shown_in_full(picture):
            keep_full(picture, target / f"{picture.page.full}.webp")
    for name, pictures in sheets.items():
        make_sheet(pictures, target / "sheets" / f"{name}.webp")


def _is_shown_in_full(picture: Picture) -> bool:
    """English, light, on a desktop: what a reader of the README sees first."""
    return (picture.language, picture.theme, picture.size) == ("en", "light", "desktop")
