"""The page on which a journey is simulated: versions and a span are chosen, and what they would have done is shown."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import clock, jobs
from journeys.admin.assumed import asking_steps, errors, in_words, read_assumed
from journeys.admin.desk import address, open_journey, page
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible
from journeys.engine.arrivals import Arrival
from journeys.models import Journey, Simulation
from journeys.models.simulation import label_of
from journeys.simulation.handed_in import MOST_BYTES, NotAnEvent, TooManyEvents, from_file
from journeys.simulation.job import ask
from journeys.simulation.shown import sections
from journeys.simulation.supposed import NotSupposable
from journeys.simulation.versions import DRAFT, LIVE, NoSuchVersion

_LISTED: Final = 20
_DAYS: Final = 30


@require_http_methods(["GET", "HEAD", "POST"])
def simulations(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """The journey's simulations, one of them in full; a POST asks for another, or stops one."""
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    if request.method == "POST":
        return _stop(request, journey) if request.POST.get("do") == "stop" else _ask(request, journey)
    asked = Simulation.objects.filter(journey=journey).select_related("job", "asked_by", "asked_by_token")
    today = clock.utcnow().astimezone(ZoneInfo(journey.brand.zone)).date()
    context = page(request, journey, "simulations") | {
        "simulations": asked[:_LISTED],
        "shown": _shown(asked, request.GET.get("show", "")),
        "choices": _choices(journey),
        "since": (today - timedelta(days=_DAYS)).isoformat(),
        "until": today.isoformat(),
        "calling": asking_steps(journey),
        "errors": errors(),
    }
    return TemplateResponse(request, "admin/journeys/simulations.html", context)


def _choices(journey: Journey) -> list[tuple[str, str]]:
    numbers = journey.versions.order_by("-number").values_list("number", flat=True)[:_LISTED]
    found = [(DRAFT, _("the draft"))] if journey.draft else []
    if journey.live_version:
        found.append((LIVE, _("the live version (v%(number)s)") % {"number": journey.live_version.number}))
    return [*found, *((str(number), f"v{number}") for number in numbers)]


def _shown(asked: Any, which: str) -> Mapping[str, Any] | None:
    if not which:
        return None
    try:
        one: Simulation = asked.get(pk=UUID(which))
    except (ValueError, Simulation.DoesNotExist):
        raise Http404 from None
    names = [label_of(name) for name in one.found]
    return {"simulation": one, "names": names, "assumed": in_words(one.assumed), **sections(one.found)}


def _ask(request: HttpRequest, journey: Journey) -> HttpResponse:
    names = [name for name in request.POST.getlist("versions") if name][:3]
    try:
        since, until = _span(request.POST, ZoneInfo(journey.brand.zone))
        by: Any = request.user
        made = ask(
            journey, names, since, until, by=by, now=clock.utcnow(), events=_events(request, journey),
            assumed=read_assumed(request.POST),
        )  # fmt: skip
    except (NotPossible, NotAnEvent, NotSupposable, TooManyEvents) as error:
        messages.error(request, str(error))
    except NoSuchVersion:
        messages.error(request, _("There is no such version of this journey."))
    except InvalidDefinition:
        messages.error(request, _("The draft has mistakes, so it cannot be simulated yet."))
    else:
        messages.success(request, _("The simulation begins in a moment."))
        return HttpResponseRedirect(f"{address(journey, 'simulations')}?show={made.pk}")
    return HttpResponseRedirect(address(journey, "simulations"))


def _events(request: HttpRequest, journey: Journey) -> list[Arrival] | None:
    """Those of the file that was handed in, if one was."""
    file = request.FILES.get("events")
    if file is None:
        return None
    if (file.size or 0) > MOST_BYTES:
        raise TooManyEvents
    return from_file(file, journey.brand_id)


def _span(given: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last, in the brand's zone."""
    days = [_day(str(given.get(name, ""))) for name in ("since", "until")]
    first, last = (datetime.combine(day, time(), tzinfo=zone) for day in days)
    return first, last + timedelta(days=1)


def _day(text: str) -> Any:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 1990 <= day.year <= 2100:
        raise NotPossible(_("Give both days of the span."))
    return day


def _stop(request: HttpRequest, journey: Journey) -> HttpResponse:
    try:
        one = Simulation.objects.get(journey=journey, pk=UUID(request.POST.get("simulation", "")))
    except (ValueError, Simulation.DoesNotExist):
        raise Http404 from None
    if jobs.cancel(one.job_id, clock.utcnow()):
        messages.success(request, _("The simulation was stopped."))
    return HttpResponseRedirect(f"{address(journey, 'simulations')}?show={one.pk}")


VIEWS: Final[Mapping[str, Any]] = {"simulations": simulations}
