"""The page on which a journey's draft is written: every button is a submit, so that it works without scripts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from customers import clock
from customers.authoring import scalars
from customers.authoring.edits import CannotEdit, Edited
from customers.authoring.posted import TooLarge, tree
from customers.visibility import may_change
from journeys import drafts
from journeys.admin import desk as desks
from journeys.admin import lifecycle, lists, publication, simulations, text
from journeys.admin.desk import OUTLINE, Desk
from journeys.authoring import edits
from journeys.authoring.merge import merge
from journeys.authoring.read import Reading, read
from journeys.models import Journey
from journeys.validate import MAX_STEPS

# Asked for by the page's script: the form's inside only.
PART_HEADER = "X-Trilha-Part"


def urls(wrap: Callable[..., Any]) -> list[URLPattern]:
    """Addresses below a journey; `wrap` lets only staff in."""
    pages: dict[str, Any] = {
        "author": author,
        **publication.VIEWS,
        **lifecycle.VIEWS,
        **lists.VIEWS,
        **simulations.VIEWS,
        **text.VIEWS,
    }
    return [
        path(f"<uuid:journey_id>/{name}/", wrap(view), name=f"journeys_journey_{name}") for name, view in pages.items()
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def author(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    if request.method == "POST":
        return _post(request, desks.open_journey(request, journey_id, to_write=True))
    journey = desks.open_journey(request, journey_id)
    document = journey.draft or OUTLINE
    desk = Desk(journey, document, journey.draft_revision, may_change(request.user, journey))
    if "check" in request.GET:
        _check(desk, Reading(document))
    return _page(request, desk)


def _post(request: HttpRequest, journey: Journey) -> HttpResponse:
    order = request.POST.get("do", "refresh")
    try:
        reading = read(tree(request.POST.lists()))
    except TooLarge:
        return _too_large(request, journey)
    desk = Desk(journey, reading.document, _number(request.POST.get("lock")), may_write=True)
    if order in _ORDERS:
        made = edits.grow(reading.document)
        desk.focus = made
        return _ORDERS[order](request, desk, reading)
    _edit(request, desk, order)
    if reading.problems:
        desk.problems, desk.is_checked = reading.problems, True
    return _page(request, desk)


def _edit(request: HttpRequest, desk: Desk, order: str) -> None:
    """Do what a button of the form asks for; nothing is stored."""
    kept = edits.kept(scalars.read_json(request.POST.get("~undo", "")))
    try:
        edited = (
            edits.put_back(desk.document, kept and kept.as_json())
            if order == "undo"
            else edits.apply(desk.document, order)
        )
    except CannotEdit:
        edited = Edited(said=_("That part is no longer there."))
    grown = edits.grow(desk.document)
    desk.focus, desk.said = grown or edited.focus, edited.said
    desk.removal = edited.removal or (None if order == "undo" else kept)


def _check(desk: Desk, reading: Reading) -> None:
    found = drafts.validate(reading.document, desk.journey)
    places = {problem.pointer for problem in reading.problems}
    desk.problems = reading.problems + [problem for problem in found if problem.pointer not in places]
    desk.is_checked = True


def _checked(request: HttpRequest, desk: Desk, reading: Reading) -> HttpResponse:
    _check(desk, reading)
    if not desk.problems:
        desk.said = _("Nothing keeps this from being published.")
    return _page(request, desk)


def _save(request: HttpRequest, desk: Desk, reading: Reading) -> HttpResponse:
    if not _saved(request, desk, desk.lock):
        return _page(request, desk, status=409)
    if reading.problems:
        _check(desk, reading)
        desk.said = _("The draft was saved, but not everything in it could be read.")
        return _page(request, desk)
    messages.success(request, _told_of_saving(desk))
    return HttpResponseRedirect(desks.address(desk.journey, "author"))


def _told_of_saving(desk: Desk) -> str:
    missing = len(drafts.validate(desk.document, desk.journey))
    if not missing:
        return _("The draft was saved. It can be published.")
    text = ngettext(
        "The draft was saved. %(count)s thing keeps it from being published.",
        "The draft was saved. %(count)s things keep it from being published.",
        missing,
    )
    return text % {"count": missing}


def _publish(request: HttpRequest, desk: Desk, reading: Reading) -> HttpResponse:
    """Saves, and goes on to the page that asks once more; or shows what is in the way."""
    if not _saved(request, desk, desk.lock):
        return _page(request, desk, status=409)
    _check(desk, reading)
    if desk.problems:
        desk.said = _("The draft was saved. It cannot be published yet.")
        return _page(request, desk)
    return HttpResponseRedirect(desks.address(desk.journey, "publication"))


def _overwrite(request: HttpRequest, desk: Desk, reading: Reading) -> HttpResponse:
    """Mine instead of theirs, which stays among the saved drafts."""
    desk.lock = _number(request.POST.get("theirs"))
    return _save(request, desk, reading)


def _merge(request: HttpRequest, desk: Desk, _reading: Reading) -> HttpResponse:
    """Both together, to be looked at before it is saved."""
    revision = _number(request.POST.get("theirs"))
    base, other = drafts.draft_at(desk.journey, desk.lock), drafts.draft_at(desk.journey, revision)
    if other is None:
        desk.refused = _("What they saved is no longer kept.")
        return _page(request, desk, status=409)
    merged = merge(base or {}, desk.document, other)
    desk.document, desk.lock = merged.document, revision
    desk.said = _("Their changes and yours are together now. Look them over, then save.")
    if merged.conflicts:
        values = {"places": ", ".join(merged.conflicts)}
        desk.said += " " + _("Both of you changed %(places)s: yours stands there.") % values
    return _page(request, desk)


def _take_theirs(request: HttpRequest, desk: Desk, _reading: Reading) -> HttpResponse:
    messages.info(request, _("This is the draft as the other person saved it."))
    return HttpResponseRedirect(desks.address(desk.journey, "author"))


_ORDERS: dict[str, Callable[[HttpRequest, Desk, Reading], HttpResponse]] = {
    "save": _save,
    "check": _checked,
    "publish": _publish,
    "overwrite": _overwrite,
    "merge": _merge,
    "theirs": _take_theirs,
}


def _saved(request: HttpRequest, desk: Desk, lock: int) -> bool:
    """Whether the desk's document is the draft now; if not, the desk says why."""
    try:
        saved = drafts.save_draft(
            desk.journey,
            desk.document,
            by=request.user,  # type: ignore[arg-type]  # nobody unknown comes so far
            now=clock.utcnow(),
            lock=lock,
        )
    except drafts.StaleDraft as stale:
        base = drafts.draft_at(desk.journey, desk.lock) or {}
        desk.theirs = desks.theirs(stale, base, desk.document)
        return False
    except drafts.UnfitDraft as unfit:
        desk.problems, desk.is_checked = unfit.problems, True
        desk.refused = _("Nothing was saved.")
        return False
    desk.journey.draft, desk.journey.draft_revision = saved.draft, saved.draft_revision
    desk.document, desk.lock = saved.draft, saved.draft_revision
    return True


def _page(request: HttpRequest, desk: Desk, status: int = 200) -> HttpResponse:
    part = request.headers.get(PART_HEADER)
    template = "admin/journeys/author/body.html" if part else "admin/journeys/author.html"
    return TemplateResponse(request, template, desk.context(request), status=status)


def _too_large(request: HttpRequest, journey: Journey) -> HttpResponse:
    refused = _("Nothing was saved: a journey has at most %(most)s steps, and 200 rows in each list.")
    context = {**desks.page(request, journey, "author"), "refused": refused % {"most": MAX_STEPS}}
    return TemplateResponse(request, "admin/journeys/refused.html", context, status=400)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
