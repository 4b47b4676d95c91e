"""What a browser is told about every page: where its parts may come from, and that nobody may frame it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound

from channels.images.addresses import PATH

Answer = Callable[[HttpRequest], HttpResponse]

_EVERYWHERE = "base-uri 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
_POLICIES = {
    # Alpine, by which unfold's menus move, evaluates the expressions in our templates; no page has a script of its own.
    "/admin/": (
        "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; {_EVERYWHERE}"
    ),
    # The try-it page draws itself with styles in its elements.
    "/api/": (
        f"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; {_EVERYWHERE}"
    ),
}
_PUBLIC = f"default-src 'none'; style-src 'self'; img-src 'self'; {_EVERYWHERE}"
_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """A page that needs another policy sets its own; the strictest is for what is not named here."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        policies = (policy for prefix, policy in _POLICIES.items() if request.path.startswith(prefix))
        policy = next(policies, _PUBLIC)
        if getattr(answer, "shows_pictures", False):
            # A frame in a page may show what the page may: the pictures of a mail, and nothing else from elsewhere.
            policy = policy.replace("img-src 'self'", "img-src 'self' https:")
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("Permissions-Policy", _DEVICES)
        return answer


class WithoutNul:
    """PostgreSQL has no NUL in any text: a staff page's address with one names nothing, and is refused unasked."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        has_nul = "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")
        if has_nul and request.path.startswith("/admin/"):
            return HttpResponseBadRequest(b"Bad request", content_type="text/plain")
        return self.get_response(request)


class AssetsHost:
    """On the host for images there is nothing else: no log-in, no page, no door."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self._host = urlsplit(settings.TRILHA_ASSETS_URL).netloc

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._host and request.get_host() == self._host and not request.path.startswith(PATH):
            return HttpResponseNotFound(b"Not found", content_type="text/plain")
        return self.get_response(request)
