"""The public preference centre: a GET only shows, a POST lessens at once and adds by a mail to be confirmed."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent.pausing import SPANS
from consent.preferences import change, stopping
from consent.preferences.centre import FREQUENCIES, Centre, Known, known, read
from consent.preferences.link import read_link
from consent.preferences.stopping import By, Changed
from consent.tokens import BadToken
from consent.views.public import evidence_of, page, speak
from customers import clock, locales

# What is told after a button was pressed, and what takes it back.
Told = tuple[str, Changed]
Act = Callable[[HttpRequest, Centre, By], Told]


# The link is the authority: it is opened from a mail, without cookies, so there is no session to protect.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    try:
        reader = known(read_link(token))
    except BadToken:
        raise Http404 from None
    if reader is None:
        return _gone(request)
    language = speak(request, reader.locale())
    if request.method != "POST":
        return _page(request, reader, language, ("", Changed()))
    act = next((act for name, act in _ACTS.items() if name in request.POST), None)
    if act is None:
        return _page(request, reader, language, ("", Changed()), status=400)
    try:
        centre = read(reader, language, clock.utcnow())
        told = act(request, centre, By(language, evidence_of(request)))
    except (ObjectDoesNotExist, IntegrityError):
        now_known = known(reader.link)
        if now_known == reader:
            raise
        # Erased or merged at this very moment; nothing was done, and what is so now is shown.
        return _gone(request) if now_known is None else _page(request, now_known, language, (_nothing(), Changed()))
    return _page(request, reader, language, told)


def _gone(request: HttpRequest) -> HttpResponse:
    """Erased meanwhile."""
    speak(request, "")
    return page(request, "consent/no_preferences.html", {}, status=410)


def _page(request: HttpRequest, reader: Known, language: str, told: Told, status: int = 200) -> HttpResponse:
    now = clock.utcnow()
    centre = read(reader, language, now)
    text, changed = told
    return page(
        request,
        "consent/preferences.html",
        {
            "centre": centre,
            "told": text,
            "undo": changed.undo,
            "spans": [(span, _span(span)) for span in SPANS],
            "frequencies": [(days, _frequency(days), days == centre.every_days) for days in FREQUENCIES],
            "tongues": _tongues(centre.language or language),
        },
        status,
    )


def _topics(request: HttpRequest, centre: Centre, by: By) -> Told:
    shown, ticked = set(request.POST.getlist("shown")), set(request.POST.getlist("topic"))
    changed = change.set_topics(centre, sorted(shown), sorted(ticked), by, clock.utcnow())
    parts = []
    if changed.stopped:
        parts.append(ngettext("%(n)s topic was stopped.", "%(n)s topics were stopped.", changed.stopped))
    if changed.asked:
        parts.append(_mail_sent(centre))
    if changed.held_back:
        parts.append(_held_back() if changed.asked or changed.stopped else _nothing_sent())
    count = {"n": changed.stopped}
    return " ".join(part % count if "%(n)s" in part else part for part in parts) or _nothing(), changed


def _all(request: HttpRequest, centre: Centre, by: By) -> Told:
    changed = stopping.stop_all(centre, by, clock.utcnow())
    if centre.known.customer is not None:
        return _("You are unsubscribed from everything."), changed
    # Nobody knows who alone it is: no other address of theirs was stopped.
    text = _("%(address)s is unsubscribed from everything. Whatever goes to other addresses goes on.")
    return text % {"address": centre.own.masked}, changed


def _undo(request: HttpRequest, centre: Centre, by: By) -> Told:
    if stopping.undo(centre, request.POST["undo"], by, clock.utcnow()):
        return _("Everything is as it was before."), Changed()
    return _("This can no longer be undone here. Choose the topics again, and confirm them by e-mail."), Changed()


def _renew(request: HttpRequest, centre: Centre, by: By) -> Told:
    changed = change.renew(centre, request.POST["renew"], by, clock.utcnow())
    return _asked(centre, changed), changed


def _pause(request: HttpRequest, centre: Centre, by: By) -> Told:
    span = request.POST["pause"]
    if span not in SPANS:
        return _nothing(), Changed()
    change.pause(centre, span, clock.utcnow())
    return _("We leave you in peace."), Changed()


def _resume(request: HttpRequest, centre: Centre, by: By) -> Told:
    changed = change.resume(centre, by, clock.utcnow())
    return _asked(centre, changed), changed


def _language(request: HttpRequest, centre: Centre, by: By) -> Told:
    chosen = request.POST.get("language", "")
    if chosen not in [code for code, _name, _now in _tongues("")]:
        return _nothing(), Changed()
    change.speak(centre, chosen, clock.utcnow())
    return _("We will write to you in this language."), Changed()


def _untrack(request: HttpRequest, centre: Centre, by: By) -> Told:
    change.untrack(centre, clock.utcnow())
    return _("We no longer see what you open and follow."), Changed()


def _limit(request: HttpRequest, centre: Centre, by: By) -> Told:
    days = request.POST.get("every_days", "")
    if not (days.isascii() and days.isdigit()):
        return _nothing(), Changed()
    changed = change.limit(centre, int(days[:4]), by, clock.utcnow())
    return _("We will write to you less often.") if changed.stopped else _asked(centre, changed), changed


_ACTS: Final[dict[str, Act]] = {
    "save_topics": _topics,
    "all": _all,
    "undo": _undo,
    "renew": _renew,
    "pause": _pause,
    "resume": _resume,
    "save_language": _language,
    "save_frequency": _limit,
    "untrack": _untrack,
}


def _nothing() -> str:
    return _("Nothing was changed.")


def _asked(centre: Centre, changed: Changed) -> str:
    if changed.asked:
        return _mail_sent(centre)
    return _nothing_sent() if changed.held_back else _nothing()


def _nothing_sent() -> str:
    return _("Nothing was changed: this address had as many mails that ask as it gets in a day. Try again later.")


def _held_back() -> str:
    return _("For the rest no mail was sent: this address had as many as it gets in a day. Try again later.")


def _mail_sent(centre: Centre) -> str:
    text = _("We have sent a mail to %(address)s. It takes effect once you confirm it there.")
    return text % {"address": centre.own.masked}


def _span(span: str) -> str:
    return {"1w": _("1 week"), "1m": _("1 month"), "3m": _("3 months")}[span]


def _frequency(days: int) -> str:
    words = {
        0: _("As it comes"),
        1: _("At most one message a day"),
        7: _("At most one message a week"),
        30: _("At most one message in 30 days"),
    }
    return words[days]


def _tongues(present: str) -> list[tuple[str, str, bool]]:
    """Code as locales are written, name in the language itself, and whether it is the present one."""
    return [
        (
            translation.to_locale(code).replace("_", "-"),
            str(translation.get_language_info(code)["name_local"]),
            locales.folded(present).partition("-")[0] == code.partition("-")[0],
        )
        for code, _name in settings.LANGUAGES
    ]
