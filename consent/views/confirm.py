"""The public page that confirms what was asked for: a GET shows a button, since scanners follow every link."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent.confirming.answer import confirm as take_effect
from consent.confirming.answer import find, paused_until, stands
from consent.confirming.link import read_link
from consent.models import Confirmation, NoticeText
from consent.preferences.link import Link, preferences_path
from consent.tokens import BadToken
from consent.unsubscribe import masked
from consent.views.public import evidence_of, page, speak
from customers import clock


# As with the preference centre, the link is the authority.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    try:
        confirmation = find(read_link(token))
    except BadToken:
        raise Http404 from None
    if confirmation is None:
        # Erased meanwhile: nothing is left to confirm.
        raise Http404
    language = speak(request, confirmation.language)
    if request.method != "POST":
        return _page(request, confirmation, language, stands(confirmation, clock.utcnow()))
    if "confirm" not in request.POST:
        return HttpResponseBadRequest("confirm is missing\n", content_type="text/plain; charset=utf-8")
    outcome = take_effect(confirmation, clock.utcnow(), language=language, evidence=evidence_of(request))
    if not outcome:
        # Erased at this very moment.
        raise Http404
    return _page(request, confirmation, language, outcome)


def _notice(confirmation: Confirmation, language: str) -> NoticeText | None:
    """The words they are asked with, in the language of the page or the closest there is."""
    version = confirmation.notice_version
    return version.words(language, confirmation.brand.locale) if version is not None else None


def _page(request: HttpRequest, confirmation: Confirmation, language: str, outcome: str) -> HttpResponse:
    purpose, brand = confirmation.purpose, confirmation.brand
    link = Link(confirmation.address_id, confirmation.profile_id, confirmation.brand_id, confirmation.pk)
    name, description = purpose.public(language, brand.locale) if purpose else ("", "")
    context = {
        "brand": brand,
        "address": masked(confirmation.address),
        "purpose": name,
        "description": description,
        "ends_pause": confirmation.ends_pause,
        # By now, whatever was confirmed: what the staff set holds on, and people may have paused anew.
        "paused_until": paused_until(confirmation, clock.utcnow()),
        "notice": _notice(confirmation, language),
        "outcome": outcome,
        "preferences": f"{preferences_path(link)}?lang={language}",
    }
    gone = outcome in (Confirmation.Outcome.EXPIRED, Confirmation.Outcome.OVERTAKEN)
    return page(request, "consent/confirm.html", context, status=410 if gone else 200)
