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
from journeys.admin.desk import address, open_journey, page
from journeys.admin.lifecycle import staying
from journeys.definition import InvalidDefinition
from journeys.diff import compare
from journeys.models import Journey, JourneyVersion


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
        return _publish(request, journey, former)
    return TemplateResponse(request, "admin/journeys/publication.html", context | _shown(journey, former))


def _former(journey: Journey, number: str) -> JourneyVersion | None:
    if not number:
        return None
    found = rollback.earlier(journey, _number(number))
    if found is None:
        raise Http404
    return found


def _shown(journey: Journey, former: JourneyVersion | None) -> dict[str, Any]:
    live = journey.live_version
    document = former.definition if former else journey.draft
    return {
        "former": former,
        "changes": compare(live.definition if live else {}, document),
        "problems": drafts.validate(document, journey) if document else [],
        "live": live,
        "staying": staying(journey),
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
    now = clock.utcnow()
    if former is None:
        return drafts.publish_draft(journey, by=by, now=now, revision=_number(request.POST.get("revision", "0")))
    return rollback.roll_back(journey, to=former.number, live=_number(request.POST.get("live", "0")), by=by, now=now)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Http404
    return int(text)


VIEWS = {"publication": publication}
