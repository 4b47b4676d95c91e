"""Publishing the draft, or an earlier version once more: shown with all that it changes before it is done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from channels.models import SendStop
from customers import clock
from journeys import drafts, rollback
from journeys.admin import plan_form
from journeys.admin.desk import address, open_journey, page
from journeys.admin.lifecycle import staying
from journeys.changeover import InvalidPlan, PlanRow
from journeys.definition import InvalidDefinition
from journeys.diff import compare
from journeys.models import Changeover, Journey, JourneyVersion
from journeys.wording import wordings


@require_http_methods(["GET", "HEAD", "POST"])
def publication(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """What publishing the draft, or version `to` again, would change; a POST does it, for what was shown."""
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    context = page(request, journey, "publication")
    asked = request.POST if request.method == "POST" else request.GET
    former = _former(journey, asked.get("to", ""))
    if request.method == "POST":
        if not context["may_publish"]:
            raise PermissionDenied
        if request.POST.get("do") != "preview":
            return _publish(request, journey, former)
    context |= _shown(journey, former, plan_form.said(request.POST))
    return TemplateResponse(request, "admin/journeys/publication.html", context)


def _former(journey: Journey, number: str) -> JourneyVersion | None:
    if not number:
        return None
    found = rollback.earlier(journey, _number(number))
    if found is None:
        raise Http404
    return found


def _shown(journey: Journey, former: JourneyVersion | None, plan: list[PlanRow]) -> dict[str, Any]:
    live = journey.live_version
    document = former.definition if former else journey.draft
    return {
        "former": former,
        "changes": compare(live.definition if live else {}, document),
        "problems": drafts.validate(document, journey) if document else [],
        "wordings": wordings(journey, document) if document else [],
        "live": live,
        "staying": staying(journey),
        **plan_form.shown(journey, document, plan, clock.utcnow()),
        "changeover": Changeover.objects.filter(journey=journey, settled_at=None, looks_again_at=None)
        .select_related("version")
        .first(),
        "is_archived": journey.status == Journey.Status.ARCHIVED,
        "is_paused": journey.status == Journey.Status.PAUSED,
        "has_stop": SendStop.objects.filter(scope_id=journey.pk, released_at=None).exists(),
    }


def _publish(request: HttpRequest, journey: Journey, former: JourneyVersion | None) -> HttpResponse:
    back = address(journey, "publication") + (f"?to={former.number}" if former else "")
    try:
        made = _published(request, journey, former)
    except drafts.StaleDraft:
        messages.error(request, _("Nothing was published: the draft was saved meanwhile. These are its changes now."))
    except drafts.NotPossible as error:
        messages.error(request, str(error))
    except InvalidPlan as error:
        messages.error(request, _("Nothing was published: people cannot be moved so."))
        for problem in error.problems:
            messages.error(request, f"{problem.message} {problem.hint or ''}".strip())
    except InvalidDefinition:
        if former:
            messages.error(request, _("Nothing was published: this version has mistakes by now."))
            return HttpResponseRedirect(back)
        messages.error(request, _("Nothing was published: the draft has mistakes."))
        return HttpResponseRedirect(f"{address(journey, 'author')}?check=1")
    else:
        messages.success(request, _("%(version)s is live.") % {"version": made})
        return HttpResponseRedirect(address(journey, "versions"))
    return HttpResponseRedirect(back)


def _published(request: HttpRequest, journey: Journey, former: JourneyVersion | None) -> JourneyVersion:
    by: Any = request.user
    now, plan = clock.utcnow(), plan_form.said(request.POST)
    if former is None:
        return drafts.publish_draft(
            journey, by=by, now=now, revision=_number(request.POST.get("revision", "0")), plan=plan
        )
    return rollback.roll_back(
        journey, to=former.number, live=_number(request.POST.get("live", "0")), by=by, now=now, plan=plan
    )


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Http404
    return int(text)


VIEWS = {"publication": publication}
