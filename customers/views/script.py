"""`trilha.js` as pages of others load it: one address that moves on, and one of each version that never changes."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from customers.browser import Script, scripts
from customers.browser import newest as newest_script

_MOVES_ON = "public, max-age=300, stale-while-revalidate=86400"
_STAYS = "public, max-age=31536000, immutable"
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


@require_safe
def newest(request: HttpRequest, name: str = "trilha") -> HttpResponse:
    return _answer(request, newest_script(name), _MOVES_ON)


@require_safe
def one(request: HttpRequest, version: str, name: str = "trilha") -> HttpResponse:
    found = scripts(name).get(version)
    if found is None:
        raise Http404
    return _answer(request, found, _STAYS)


def _answer(request: HttpRequest, script: Script, kept: str) -> HttpResponse:
    etag = f'"{script.version}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    elif _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")):
        response = HttpResponse(script.packed, content_type="text/javascript; charset=utf-8")
        response["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(script.text, content_type="text/javascript; charset=utf-8")
    response["ETag"], response["Cache-Control"], response["Vary"] = etag, kept, "Accept-Encoding"
    # A page can compare the script with a digest only if it may read it.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
