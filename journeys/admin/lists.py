"""The page on which people are called in by a list: handed in, looked at, called, and what is left of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from customers import audit, clock
from customers.imports.limits import FileRefused
from customers.segments.telling import coarse_words
from customers.visibility import sees_pii
from journeys.admin.desk import address, open_journey, page
from journeys.compiling import version
from journeys.drafts import NotPossible
from journeys.entry import lists
from journeys.entry.list_lines import (
    LONGEST,
    MOST_BYTES,
    MOST_LINES,
    Line,
    ListRefused,
    from_file,
    pasted,
    properties_of,
)
from journeys.entry.named_people import kinds_offered
from journeys.entry.outcomes import outcomes
from journeys.entry.previews import LET_IN
from journeys.entry.remainder import remainder
from journeys.models import CallList, CallListRow, EntryRefusal, Journey

_LISTED: Final = 20
_SHOWN: Final = 20
_WORDS: Final[Mapping[str, "str | Promise"]] = {
    "too_large": gettext_lazy("A list is at most 10 MB. Hand it in in parts."),
    "too_many_lines": gettext_lazy("A list has at most 100,000 lines. Hand it in in parts."),
    "nothing_in_it": gettext_lazy("The list is empty."),
    "no_such_column": gettext_lazy("The file has no column “%(column)s”."),
}


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, journey_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """The journey's lists, one of them in full or what is left of it as a file; a POST hands one in, calls or stops.

    What comes of a list that somebody makes up tells of those who are on it, however it is rounded: so lists are for
    people who read personal data.
    """
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    reads = sees_pii(request.user, journey.brand_id)
    if request.method == "POST":
        if not (reads and request.user.has_perm("journeys.publish_journey")):
            raise PermissionDenied
        return _change(request, journey)
    handed_in = CallList.objects.filter(journey=journey).select_related("check_job", "call_job", "created_by")
    chosen = _chosen(handed_in, request.GET["show"]) if request.GET.get("show") else None
    if chosen is not None and request.GET.get("file"):
        return _file(request, journey, chosen)
    is_live = journey.status == Journey.Status.LIVE and journey.live_version is not None
    context = page(request, journey, "people") | {
        "lists": handed_in[:_LISTED],
        "shown": _shown(request, journey, chosen) if chosen is not None else None,
        "kinds": kinds_offered(clock.utcnow()),
        "is_live": is_live,
        "reads": reads,
        "properties": sorted(_properties(journey)) if is_live else [],
        "most_lines": MOST_LINES,
        "most_megabytes": MOST_BYTES // (1024 * 1024),
    }
    return TemplateResponse(request, "admin/journeys/people.html", context)


def _chosen(handed_in: Any, which: str) -> CallList:
    try:
        one: CallList = handed_in.get(pk=UUID(which))
    except (ValueError, CallList.DoesNotExist):
        raise Http404 from None
    return one


def _shown(request: HttpRequest, journey: Journey, chosen: CallList) -> dict[str, Any]:
    reads = sees_pii(request.user, journey.brand_id)

    def words(number: int) -> str:
        # Of a list of one person every number tells of that person.
        return number_format(number, force_grouping=True) if reads else coarse_words(number)

    faulty = CallListRow.objects.shown_to(request.user).filter(parent=chosen).exclude(problem="")
    reasons = dict(chosen.reasons)
    let_in = reasons.pop(LET_IN, 0)
    came = None
    if chosen.call_job is not None:
        (came,) = outcomes(journey, [chosen.call_job], reads_personal=reads)
    check = chosen.check_job
    return {
        "list": chosen,
        "lines": words(chosen.lines),
        "known": words(chosen.found.get("known", 0)),
        "problems": [(one.label, words(chosen.found[one])) for one in CallListRow.Problem if one in chosen.found],
        "let_in": words(let_in),
        "refused": [(EntryRefusal.Reason(reason).label, words(count)) for reason, count in sorted(reasons.items())],
        "faulty": faulty.order_by("line")[:_SHOWN] if reads else [],
        "reads": reads,
        "check": check,
        "percent": check.done * 100 // (check.total or 1) if check else 0,
        "came": came,
        "is_under_way": any(job is not None and not job.is_over for job in (check, chosen.call_job)),
        "may_call": lists.is_looked_at(chosen) and chosen.call_job is None and chosen.found.get("known", 0) > 0,
    }


def _file(request: HttpRequest, journey: Journey, chosen: CallList) -> StreamingHttpResponse:
    """For whoever may read what is in it."""
    if not sees_pii(request.user, journey.brand_id):
        raise PermissionDenied
    rows = CallListRow.objects.shown_to(request.user).filter(parent=chosen).order_by("line")
    told = {"list": str(chosen.pk), "remainder": True}
    audit.record(request.user, "export", journey, None, told, brand=journey.brand, now=clock.utcnow())
    answer = StreamingHttpResponse(remainder(chosen, rows.iterator(chunk_size=500)))
    answer["Content-Type"] = "text/csv; charset=utf-8"
    answer["Content-Disposition"] = 'attachment; filename="remainder.csv"'
    return answer


def _properties(journey: Journey) -> dict[str, str]:
    assert journey.live_version is not None
    return properties_of(version(journey.live_version.pk).definition)


def _change(request: HttpRequest, journey: Journey) -> HttpResponse:
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    try:
        chosen, told = act(request, journey)
    except (NotPossible, FileRefused) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(request.get_full_path())
    except ListRefused as error:
        messages.error(request, str(_WORDS[error.code]) % error.values)
        return HttpResponseRedirect(address(journey, "people"))
    messages.success(request, told)
    return HttpResponseRedirect(f"{address(journey, 'people')}?show={chosen.pk}")


def _hand_in(request: HttpRequest, journey: Journey) -> tuple[CallList, str]:
    if journey.status != Journey.Status.LIVE or journey.live_version is None:
        raise NotPossible(_("The journey is not live."))
    kind = request.POST.get("kind", "")
    if kind not in dict(kinds_offered(clock.utcnow())):
        raise NotPossible(_("Say by which kind of identifier the list names people."))
    lines, columns = _lines(request, journey, kind)
    made = lists.hand_in(journey, kind, lines, columns, clock.utcnow(), by=request.user)  # type: ignore[arg-type]  # somebody known
    return made, _("The list is being looked at; nobody is called yet.")


def _lines(request: HttpRequest, journey: Journey, kind: str) -> tuple[list[Line], list[str]]:
    file: Any = request.FILES.get("file")
    if file is None:
        return pasted(request.POST.get("people", "")), []
    if file.size > MOST_BYTES:
        raise ListRefused("too_large")
    lines, columns = from_file(file.read(), request.POST.get("column", "")[:LONGEST], _properties(journey), kind)
    return lines, columns.names


def _call(request: HttpRequest, journey: Journey) -> tuple[CallList, str]:
    chosen = _posted(request, journey)
    lists.call(journey, chosen.pk, clock.utcnow(), by=request.user)  # type: ignore[arg-type]  # somebody known
    return chosen, _("They are being called in; below you see how far it is.")


def _stop(request: HttpRequest, journey: Journey) -> tuple[CallList, str]:
    chosen = _posted(request, journey)
    if not lists.stop(chosen, clock.utcnow(), by=request.user):  # type: ignore[arg-type]  # somebody known
        raise NotPossible(_("Nothing is done with this list at present."))
    return chosen, _("It was stopped: what is done stays done.")


def _posted(request: HttpRequest, journey: Journey) -> CallList:
    handed_in = CallList.objects.filter(journey=journey).select_related("journey__brand")
    return _chosen(handed_in, request.POST.get("list", ""))


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Journey], tuple[CallList, str]]]] = {
    "hand_in": _hand_in,
    "call": _call,
    "stop": _stop,
}
VIEWS: Final[Mapping[str, Any]] = {"people": people}
