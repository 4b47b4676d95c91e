"""What the public pages share: kept from caches, indexes and frames, in the reader's language, without a script."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from customers import locales

_POLICY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_LANGUAGES: Final = "lang"


def page(request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, {**context, "languages": _switch(request)}, status=status)
    response["Content-Security-Policy"] = _POLICY
    # The token must not travel on to whatever is visited next, nor into a search index.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    return response


def speak(request: HttpRequest, preferred: str) -> str:
    """Have this answer speak the language that was asked for on the page, else the person's, else the browser's."""
    known = [code for code, _name in settings.LANGUAGES]
    asked = request.GET.get(_LANGUAGES, "")
    chosen = asked if asked in known else _of_person(preferred, known)
    if chosen:
        translation.activate(chosen)
    return translation.get_language() or settings.LANGUAGE_CODE


def _of_person(preferred: str, known: list[str]) -> str:
    """pt and pt-PT are spoken to in pt-BR; a language that we do not speak is left to the browser."""
    language = locales.folded(preferred).partition("-")[0]
    return next((code for code in known if preferred and code.partition("-")[0] == language), "")


def evidence_of(request: HttpRequest) -> dict[str, str]:
    """The device, as it names itself."""
    agent = request.headers.get("User-Agent", "")[:1000].replace("\0", "")
    return {"user_agent": agent} if agent else {}


def _switch(request: HttpRequest) -> list[dict[str, Any]]:
    """The other languages of this page, each by its own name, as links that change nothing."""
    present = translation.get_language()
    return [
        {"code": code, "name": translation.get_language_info(code)["name_local"], "link": f"?{_LANGUAGES}={code}"}
        for code, _name in settings.LANGUAGES
        if code != present
    ]
