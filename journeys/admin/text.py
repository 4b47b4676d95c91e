"""A journey's draft as JSON or YAML: to be read, downloaded, and brought in from elsewhere."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import clock
from journeys import drafts
from journeys.admin.desk import address, open_journey, page
from journeys.authoring import text as texts
from journeys.models import Journey

_TYPES = {"yaml": "application/yaml", "json": "application/json"}


@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    journey = open_journey(request, journey_id, to_write=request.method == "POST")
    format_ = request.GET.get("format", "yaml")
    format_ = format_ if format_ in texts.FORMATS else "yaml"
    if request.method == "POST":
        return _take_in(request, journey, format_)
    written = texts.write(journey.draft, format_) if journey.draft else ""
    if "download" in request.GET:
        return _download(journey, written, format_)
    return _page(request, journey, format_, written)


def _download(journey: Journey, written: str, format_: str) -> HttpResponse:
    name = f"{journey.brand.key}-{journey.key}-draft-{journey.draft_revision}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(written, content_type=f"{_TYPES[format_]}; charset=utf-8", headers=headers)


def _take_in(request: HttpRequest, journey: Journey, format_: str) -> HttpResponse:
    """Make the given text the draft, complete or not."""
    given = _given(request)
    try:
        lock = int(request.POST.get("lock", "0"))
        document = texts.read(given)
        drafts.save_draft(
            journey,
            document,
            by=request.user,  # type: ignore[arg-type]  # nobody unknown comes so far
            now=clock.utcnow(),
            lock=lock,
        )
    except texts.Unreadable as error:
        return _page(request, journey, format_, given, refused=str(error), status=422)
    except drafts.UnfitDraft as unfit:
        return _page(request, journey, format_, given, problems=unfit.problems, status=422)
    except drafts.StaleDraft as stale:
        told = _("Nothing was saved: somebody saved the draft meanwhile. Save again to put yours in its place.")
        return _page(request, stale.journey, format_, given, refused=told, status=409)
    except ValueError:
        return _page(request, journey, format_, given, refused=_("The text could not be taken in."), status=422)
    messages.success(request, _("The text is the draft now."))
    return HttpResponseRedirect(f"{address(journey, 'author')}?check=1")


def _given(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if upload is None:
        return request.POST.get("text", "")
    # One character may take four bytes; more than that is too long however it is read.
    raw: bytes = upload.read(4 * texts.MOST_CHARACTERS + 1)
    return raw.decode(errors="replace").removeprefix("\ufeff")


def _page(
    request: HttpRequest, journey: Journey, format_: str, written: str, *, status: int = 200, **told: Any
) -> HttpResponse:
    context = page(request, journey, "text") | {
        "format": format_,
        "formats": texts.FORMATS,
        "written": written,
        "lock": journey.draft_revision,
        **told,
    }
    return TemplateResponse(request, "admin/journeys/text.html", context, status=status)


VIEWS = {"text": text}
