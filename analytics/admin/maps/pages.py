"""The pages of one map: matrix and metro map."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analytics.admin.maps.forms import MODELS, FilterForm
from analytics.map_board import Board, Standing, board
from analytics.map_counts import count_map
from analytics.map_metro import metro_of
from analytics.map_numbers import MapNumbers, map_numbers
from analytics.metrics import touchpoint_conversion, touchpoint_moves, touchpoint_outcomes
from customers import clock
from customers.visibility import may_change
from journeys.maps.edit import MOST
from journeys.maps.steps import LiveStep, live_steps
from journeys.models import Journey, JourneyMap, MapRevision

FRAGMENT = "X-Fragment"
# Kept from page to page; whatever else an address holds is not.
KEPT = ("days", "owner", "standing", "critical", "at")
_JOURNEYS = 200
_COUNT_SECONDS = 8.0


class MapViews:
    """What pages and edits of a map share: whose map it is, and how it is shown."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def seen(self, request: HttpRequest, map_id: UUID) -> JourneyMap:
        """A map the person may look at; foreign ones are as unknown as those that are not there."""
        map_ = JourneyMap.objects.visible_to(request.user).select_related("brand").filter(pk=map_id).first()
        if map_ is None:
            raise Http404
        if not request.user.has_perm("journeys.view_journeymap") and not may_change(request.user, map_):
            raise PermissionDenied
        return map_

    def mine(self, request: HttpRequest, map_id: UUID) -> JourneyMap:
        """A map the person may change."""
        map_ = self.seen(request, map_id)
        if not may_change(request.user, map_):
            raise PermissionDenied
        return map_

    def page(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """The whole page, or only its content for a script that asks for that."""
        alone = FRAGMENT in request.headers
        base = "admin/journeys/journeymap/fragment.html" if alone else "admin/base_site.html"
        whole = {} if alone else self.site.each_context(request)
        answer = TemplateResponse(
            request, f"admin/journeys/journeymap/{name}.html", {**whole, "base": base, **context}, status=status
        )
        patch_vary_headers(answer, [FRAGMENT])
        return answer


class MapPages(MapViews):
    def matrix(self, request: HttpRequest, map_id: UUID) -> HttpResponse:
        map_ = self.seen(request, map_id)
        form = FilterForm(request.GET, owners_of(map_))
        numbers = map_numbers(map_, form.period, clock.utcnow())
        shown = board(map_, numbers, live_of(request, map_), form.filters)
        editable = may_change(request.user, map_)
        context = {
            "title": map_.name,
            "map": map_,
            "board": shown,
            "at": _stage_at(request, shown),
            "numbers": numbers,
            "form": form,
            "editable": editable,
            "full": {kind: editable and len(_parts(shown, kind)) >= MOST[model] for kind, model in MODELS.items()},
            "done": _done(request, map_) if editable else None,
            "standings": [(one, one.label, shown.count(one)) for one in Standing],
            "definitions": _definitions(touchpoint_outcomes, touchpoint_conversion),
            "kept": kept(request.GET),
            "kept_but_at": kept(request.GET, leave_out="at"),
        }
        return self.page(request, "matrix", context)

    def metro(self, request: HttpRequest, map_id: UUID) -> HttpResponse:
        map_ = self.seen(request, map_id)
        form = FilterForm(request.GET, owners_of(map_))
        numbers = map_numbers(map_, form.period, clock.utcnow())
        shown = board(map_, numbers, live_of(request, map_), form.filters)
        context = {
            "title": map_.name,
            "map": map_,
            "metro": metro_of(shown, numbers),
            "board": shown,
            "numbers": numbers,
            "form": form,
            "standings": [(one, one.label, shown.count(one)) for one in Standing],
            "definitions": _definitions(touchpoint_outcomes, touchpoint_conversion, touchpoint_moves),
            "kept": kept(request.GET),
        }
        return self.page(request, "metro", context)

    def count(self, request: HttpRequest, map_id: UUID) -> HttpResponse:
        """Count now what is otherwise counted every minute."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        map_ = self.seen(request, map_id)
        if not count_map(map_, clock.utcnow(), _COUNT_SECONDS):
            messages.info(request, gettext("There is much to count: the newest days are done, the rest follows."))
        return redirect(matrix_address(map_, request.POST))


def live_of(request: HttpRequest, map_: JourneyMap) -> list[LiveStep]:
    """The live message steps of the brand's journeys, as far as the person sees those."""
    journeys = Journey.objects.visible_to(request.user).filter(brand=map_.brand_id, status=Journey.Status.LIVE)
    return live_steps(journeys.order_by("name")[:_JOURNEYS])


def kept(given: QueryDict | Any, leave_out: str = "") -> str:
    """The part of an address that says how the map is looked at."""
    told = QueryDict(mutable=True)
    source = QueryDict(given.get("kept", "")) if "kept" in given else given
    for name in KEPT:
        if name != leave_out and (value := source.get(name)):
            told[name] = value[:64]
    return told.urlencode()


def matrix_address(map_: JourneyMap, given: Any, done: MapRevision | None = None) -> str:
    address = reverse("admin:journeys_journeymap_matrix", args=[map_.pk])
    query = "&".join(part for part in (kept(given), f"done={done.pk}" if done else "") if part)
    return f"{address}?{query}" if query else address


def owners_of(map_: JourneyMap) -> list[tuple[str, str]]:
    """People who own something on the map."""
    owned = map_.touchpoints.filter(removed_at=None, owner__isnull=False)
    rows = owned.order_by("owner__username").values_list("owner_id", "owner__username").distinct()
    return [(str(key), name) for key, name in rows]


def _stage_at(request: HttpRequest, shown: Board) -> int:
    """Which stage a narrow screen shows, from 1."""
    text = request.GET.get("at", "1")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return min(max(asked, 1), max(len(shown.stages), 1))


def _done(request: HttpRequest, map_: JourneyMap) -> dict[str, Any] | None:
    """What was just done, if it is still the newest: so it can be undone."""
    text = request.GET.get("done", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    revision = MapRevision.objects.filter(map=map_, pk=int(text)).first()
    if revision is None:
        return None
    for kind, model in MODELS.items():
        part = model._default_manager.filter(pk=revision.part_id, lock_version=revision.number).first()
        if part is not None:
            text = _TOLD[MapRevision.Action(revision.action)] % {"name": part}
            return {"revision": revision, "part": part, "kind": kind, "text": text}
    return None


_TOLD = {
    MapRevision.Action.ADDED: _("“%(name)s” was added."),
    MapRevision.Action.EDITED: _("“%(name)s” was saved."),
    MapRevision.Action.MOVED: _("“%(name)s” was moved."),
    MapRevision.Action.REMOVED: _("“%(name)s” was removed."),
    MapRevision.Action.UNDONE: _("The last change of “%(name)s” was undone."),
}


def _parts(shown: Board, kind: str) -> Any:
    return {"stage": shown.stages, "channel": shown.rows, "touchpoint": shown.cards}[kind]


def _definitions(*formulas: Any) -> Iterable[tuple[Any, Any]]:
    return [(formula.LABEL, formula.DEFINITION) for formula in formulas]


__all__ = ["FRAGMENT", "MapNumbers", "MapPages", "MapViews", "kept", "live_of", "matrix_address", "owners_of"]
