"""Calls that a browser makes for a page of somebody else's (CORS): whose pages may, and what the browser is told.

A page may send a body of JSON only after its browser has asked for permission, which a page that is being left has
no time for. A body declared as text needs no asking, so browser keys may send their JSON as that; the origin, which
no page can forge, is looked at either way. Nothing here speaks of cookies: none are sent and none are read.
"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse

from customers import keys
from customers.accept.refusal import Refused
from customers.keys import Writer

_ASKED_AGAIN_AFTER_SECONDS = "600"


def origin_of(request: HttpRequest) -> str | None:
    """Whose page a browser is calling for; None when it is no browser that calls, or it keeps that to itself."""
    return request.headers.get("Origin")


def is_question(request: HttpRequest) -> bool:
    """Whether a browser asks if it may send the call proper."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def answer_question(request: HttpRequest, now: datetime) -> HttpResponse:
    """Yes to pages that some key writes from; which key it will be, the question does not tell."""
    if not keys.may_ask(origin_of(request) or "", now):
        raise _not_from_there()
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = _ASKED_AGAIN_AFTER_SECONDS
    return response


def admit(writer: Writer, request: HttpRequest) -> Writer:
    """The writer, if its key may be used from where it is."""
    origin = origin_of(request)
    if writer.origins is not None and origin not in writer.origins:
        raise _not_from_there()
    if writer.origins is None and origin is not None:
        hint = "Make a browser key for the source and revoke this one, which everybody could read by now."
        raise Refused("browser_key_needed", "This key is for servers, and was sent by a web page.", hint)
    return writer


def tell(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let the page read the answer: a refusal too, which holds no secret and is of use to whoever wrote the page."""
    origin = origin_of(request)
    if origin is not None and not (is_question(request) and response.status_code != 204):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
    response["Vary"] = "Origin"
    return response


def _not_from_there() -> Refused:
    hint = "Add the page's origin to the key's own, as https://www.example.com; calls of servers need a server key."
    return Refused("origin_not_allowed", "The key may not be used from here.", hint)
