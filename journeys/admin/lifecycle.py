"""Versions, archiving and copies of a journey: each asked for once more before it is done."""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from channels.models import SendStop
from customers import clock
from customers.visibility import sees_pii
from journeys import drafts, halting
from journeys.admin.calendar import calendar
from journeys.admin.desk import address, open_journey, page
from journeys.authoring.text import write
from journeys.diff import compare
from journeys.entry import by_hand, ramp
from journeys.entry.calls import calls_of
from journeys.entry.outcomes import outcomes, previews
from journeys.entry.previews import preview, previews_of
from journeys.models import Halt, Journey, JourneyVersion

_SHOWN = 100


def staying(journey: Journey) -> dict[str, Any]:
    """Runs on their way, in all and by version, as far as they are counted."""
    counts = drafts.live_runs(journey)
    versions = JourneyVersion.objects.filter(pk__in=counts).order_by("-number")
    total = sum(counts.values())
    is_more = total > drafts.COUNTED
    told = ngettext("%(count)s run is on its way.", "%(count)s runs are on their way.", total) % {"count": total}
    if is_more:
        told = _("More than %(count)s runs are on their way.") % {"count": drafts.COUNTED}
    rows = [] if is_more else [(version, counts[version.pk]) for version in versions]
    return {"total": total, "told": told, "rows": rows}


@require_http_methods(["GET", "HEAD", "POST"])
def versions(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """What was published and what was saved; a POST copies one of them into the draft."""
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    if request.method == "POST":
        return _copy_into_draft(request, journey)
    published = list(journey.versions.select_related("published_by", "returns_to").order_by("-number")[:_SHOWN])
    saved = list(journey.draft_revisions.select_related("saved_by").defer("document").order_by("-number")[:_SHOWN])
    counts = drafts.live_runs(journey)
    context = page(request, journey, "versions")
    context |= {
        "published": [(version, counts.get(version.pk, 0)) for version in published],
        "saved": saved,
        "shown": _shown(journey, request.GET.get("show", "")),
        "may_return": context["may_publish"] and journey.status != Journey.Status.ARCHIVED,
        "lock": journey.draft_revision,
    }
    return TemplateResponse(request, "admin/journeys/versions.html", context)


def _shown(journey: Journey, which: str) -> dict[str, Any] | None:
    """One version or saved draft, and what it changed against the one before it."""
    found = _document(journey, which)
    if found is None:
        return None
    name, document, before = found
    return {"name": name, "which": which, "text": write(document, "yaml"), "changes": compare(before, document)}


def _document(journey: Journey, which: str) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    kind, number = which[:1], which[1:]
    if kind not in ("v", "d") or not number.isdecimal() or len(number) > 9:
        return None
    rows: Any = journey.versions if kind == "v" else journey.draft_revisions
    column = "definition" if kind == "v" else "document"
    pair = list(rows.filter(number__lte=int(number)).order_by("-number").values_list("number", column)[:2])
    if not pair or pair[0][0] != int(number):
        return None
    text = _("Version %(number)s") if kind == "v" else _("Draft %(number)s")
    return text % {"number": number}, pair[0][1], pair[1][1] if len(pair) > 1 else {}


def _copy_into_draft(request: HttpRequest, journey: Journey) -> HttpResponse:
    found = _document(journey, request.POST.get("which", ""))
    if found is None:
        raise Http404
    name, document, _before = found
    try:
        drafts.save_draft(
            journey,
            document,
            by=request.user,  # type: ignore[arg-type]  # nobody unknown comes so far
            now=clock.utcnow(),
            lock=int(request.POST.get("lock", "0")),
        )
    except ValueError:
        raise Http404 from None
    except drafts.StaleDraft:
        messages.error(request, _("Nothing was copied: the draft was saved meanwhile."))
        return HttpResponseRedirect(address(journey, "versions"))
    messages.success(request, _("%(name)s is the draft now.") % {"name": name})
    return HttpResponseRedirect(address(journey, "author"))


@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Pausing, archiving, bringing back and copying; what happens to people on their way is said beforehand."""
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    if request.method == "POST":
        return _change(request, journey)
    context = page(request, journey, "status") | {
        "staying": staying(journey),
        "is_archived": journey.status == Journey.Status.ARCHIVED,
        "is_live": journey.status == Journey.Status.LIVE,
        "is_paused": journey.status == Journey.Status.PAUSED,
        "stopped": SendStop.objects.filter(scope_id=journey.pk, released_at=None).first(),
        "halt": halting.standing(journey),
        "ramp": _ramp(journey),
        "calendar": calendar(request, journey),
        "calls": outcomes(journey, calls_of(journey), reads_personal=sees_pii(request.user, journey.brand_id)),
        "previews": previews(previews_of(journey), reads_personal=sees_pii(request.user, journey.brand_id)),
        "callable": by_hand.offered(journey) if journey.status == Journey.Status.LIVE else [],
        "may_add": request.user.has_perm("journeys.add_journey"),
    }
    return TemplateResponse(request, "admin/journeys/status.html", context)


def _ramp(journey: Journey) -> dict[str, Any] | None:
    """The small group that is let in, how it fares, and whether it is time to decide."""
    standing = ramp.standing_ramp(journey)
    if standing is None:
        return None
    today = clock.utcnow().astimezone(ZoneInfo(journey.brand.zone)).date().isoformat()
    return {
        "percent": standing.percent,
        "compare_on": parse_date(standing.compare_on),
        "is_time": today >= standing.compare_on,
        "numbers": ramp.group_numbers(journey),
    }


def _let_everybody_in(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    ramp.let_everybody_in(journey, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # somebody known
    return _("Everybody is let in from now on."), address(journey, "status")


def _call_in(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    if not request.user.has_perm("journeys.publish_journey"):
        raise PermissionDenied
    by_hand.call_by_hand(journey, request.POST.get("segment", ""), clock.utcnow(), by=request.user)  # type: ignore[arg-type]  # somebody known
    return _("They are being called in; below you see how far it is."), address(journey, "status")


def _preview(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    if not request.user.has_perm("journeys.publish_journey"):
        raise PermissionDenied
    preview(journey, request.POST.get("segment", ""), clock.utcnow(), by=request.user)  # type: ignore[arg-type]  # somebody known
    return _("It is being looked at; nobody is called yet."), address(journey, "status")


def _stop_ramp(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    ramp.stop(journey, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # somebody known
    return _("Nobody comes in until it is resumed; who is on the way goes on."), address(journey, "status")


def _change(request: HttpRequest, journey: Journey) -> HttpResponse:
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    try:
        told, lead_to = act(request, journey)
    except drafts.NotPossible as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(address(journey, "status"))
    messages.success(request, told)
    return HttpResponseRedirect(lead_to)


def _archive(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    end = _said(request, ("go_on", "end")) == "end"
    halting.archive(journey, by=request.user, now=clock.utcnow(), end=end)  # type: ignore[arg-type]  # somebody known
    told = _("The journey is archived. Nobody comes in any more, nothing more is sent, and who was in it is taken out.")
    if not end:
        told = _("The journey is archived. Nobody comes in any more; who is on the way goes on.")
    return told, address(journey, "status")


def _unarchive(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    halting.unarchive(journey, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # somebody known
    return _("The journey is back: %(status)s.") % {"status": journey.get_status_display()}, address(journey, "status")


def _pause(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    said = _said(request, ("go_on", Halt.Waiting.TIME_GOES_ON, Halt.Waiting.TIME_STANDS))
    waiting = None if said == "go_on" else Halt.Waiting(said)
    halting.pause(journey, by=request.user, now=clock.utcnow(), waiting=waiting)  # type: ignore[arg-type]  # somebody known
    told = _("Nobody comes in until it is resumed; who is on the way goes on.")
    if waiting:
        told = _("Nobody comes in until it is resumed; who is in it rests, and nothing is sent.")
    return told, address(journey, "status")


def _resume(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    halting.resume(journey, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # somebody known
    return _("People come in again."), address(journey, "status")


def _said(request: HttpRequest, choices: tuple[str, ...]) -> str:
    """What is to become of those who are in the journey: nobody else decides that, so no answer is no answer."""
    said = request.POST.get("live_runs", "")
    if said not in choices:
        raise drafts.NotPossible(_("Say what is to become of those who are in it."))
    return said


def _duplicate(request: HttpRequest, journey: Journey) -> tuple[str, str]:
    if not request.user.has_perm("journeys.add_journey"):
        raise PermissionDenied
    made = drafts.duplicate(journey, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # somebody known
    return _("“%(name)s” is a copy, not live yet.") % {"name": made.name}, address(made, "author")


_ACTS: dict[str, Callable[[HttpRequest, Journey], tuple[str, str]]] = {
    "archive": _archive,
    "unarchive": _unarchive,
    "pause": _pause,
    "resume": _resume,
    "duplicate": _duplicate,
    "let_everybody_in": _let_everybody_in,
    "stop_ramp": _stop_ramp,
    "call_in": _call_in,
    "preview": _preview,
}

VIEWS = {"versions": versions, "status": status}
