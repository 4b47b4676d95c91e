"""Tracked links and the picture of a letter: where they lead stands with us, never in what is asked.

A GET notes that somebody came and answers at once; a HEAD, by which scanners look first, counts for nothing.
"""

from base64 import b64decode
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from channels.tracking.follow import Gone, Visit
from channels.tracking.follow import follow as follow_link
from channels.tracking.follow import opened as note_opened
from channels.tracking.tokens import BadToken, read_link, read_open
from channels.tracking.visitors import machine
from consent.views.public import page, speak
from customers import clock

# One transparent point.
_PICTURE: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        target = follow_link(*read_link(token), _visit(request))
    except BadToken:
        return _nowhere(request, 404)
    except Gone:
        return _nowhere(request, 410)
    response = HttpResponseRedirect(target)
    # Neither the site it leads to nor an index of pages is to learn the address that tells who came.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The picture in any case: what is broken would be shown as broken in the letter."""
    status = 200
    try:
        note_opened(read_open(token), _visit(request))
    except BadToken:
        status = 404
    except Gone:
        status = 410
    return HttpResponse(_PICTURE, content_type="image/gif", status=status)


def _visit(request: HttpRequest) -> Visit:
    return Visit(clock.utcnow(), machine(request.headers), counted=request.method == "GET")


def _nowhere(request: HttpRequest, status: int) -> HttpResponse:
    speak(request, "")
    return page(request, "channels/link_gone.html", {"was_ours": status == 410}, status=status)
