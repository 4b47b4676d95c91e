"""What a browser is told about every page: where its parts may come from, and that nobody may frame it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

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
        answer.headers.setdefault("Content-Security-Policy", next(policies, _PUBLIC))
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
