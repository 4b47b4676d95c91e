"""The public unsubscribe page, and the one-click request of mailbox providers (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent.models import Method, Purpose
from consent.unsubscribe import BadToken, Token, masked, read_token, withdraw_by_token
from customers import clock
from customers.models import Address

_CONTENT_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


# The token is the authority: providers post without cookies, so there is no session to protect.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only a POST changes anything, since scanners follow every link."""
    try:
        asked = read_token(token)
    except BadToken:
        raise Http404 from None
    if request.method != "POST":
        return _page(request, asked, done=False)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        _withdraw(request, token, Method.ONE_CLICK)
        return HttpResponse("unsubscribed\n", content_type="text/plain; charset=utf-8")
    if "unsubscribe" in request.POST:
        _withdraw(request, token, Method.LINK)
        return _page(request, asked, done=True)
    return HttpResponseBadRequest("List-Unsubscribe=One-Click is missing\n", content_type="text/plain; charset=utf-8")


def _withdraw(request: HttpRequest, token: str, method: Method) -> None:
    agent = request.headers.get("User-Agent", "")[:1000].replace("\0", "")
    withdraw_by_token(token, method.value, clock.utcnow(), {"user_agent": agent} if agent else {})


def _page(request: HttpRequest, asked: Token, *, done: bool) -> HttpResponse:
    address = Address.objects.filter(pk=asked.address_id).first()
    purpose = Purpose.objects.select_related("brand").filter(pk=asked.purpose_id).first()
    context = {"address": masked(address) if address else "", "purpose": purpose, "done": done}
    response = render(request, "consent/unsubscribe.html", context)
    response["Content-Security-Policy"] = _CONTENT_POLICY
    # The token must not travel on to whatever is visited next, nor into a search index.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
