"""The public unsubscribe page, and the one-click request of mailbox providers (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent.models import Method, Purpose
from consent.preferences.centre import known
from consent.preferences.link import Link, preferences_path
from consent.unsubscribe import BadToken, Token, masked, read_token, withdraw_by_token
from consent.views.public import evidence_of, page, speak
from customers import clock
from customers.ids import NIL


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
    withdraw_by_token(token, method.value, clock.utcnow(), evidence_of(request))


def _page(request: HttpRequest, asked: Token, *, done: bool) -> HttpResponse:
    purpose = Purpose.objects.select_related("brand").filter(pk=asked.purpose_id).first()
    # This link does not say for whom the message was.
    link = Link(asked.address_id, NIL, purpose.brand_id if purpose else NIL, asked.message_id)
    reader = known(link)
    language = speak(request, reader.locale() if reader else "")
    context = {
        "address": masked(reader.address) if reader else "",
        "purpose": purpose.public(language, purpose.brand.locale)[0] if purpose else "",
        "brand": purpose.brand if purpose else None,
        "done": done,
        "preferences": f"{preferences_path(link)}?lang={language}" if reader else "",
    }
    return page(request, "consent/unsubscribe.html", context)
