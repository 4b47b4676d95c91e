"""What people do to a map: every edit says which revision it saw, and none overwrites one it has not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import gettext

from analytics.admin.maps.forms import FORMS, MODELS, PartForm, PlaceForm, written_fields
from analytics.admin.maps.pages import MapViews, kept, live_of, matrix_address
from analytics.map_board import Card
from analytics.map_numbers import TouchpointNumbers
from customers import clock
from customers.audit import record
from customers.visibility import may_change
from journeys.maps import edit as edits
from journeys.maps.errors import Full, Gone, Outdated, StillUsed
from journeys.maps.places import AnyPart
from journeys.maps.steps import LiveStep, place
from journeys.models import Journey, JourneyMap, MapChannel, MapRevision, MapStage, PlacedStep, Touchpoint

_REVISIONS_SHOWN = 10


class MapEdits(MapViews):
    def add(self, request: HttpRequest, map_id: UUID, kind: str) -> HttpResponse:
        map_ = self.mine(request, map_id)
        part: Any = _model(kind)(map=map_)
        initial = {name: request.GET[name] for name in ("stage", "channel") if name in request.GET}
        form = _form(kind, request, map_, part, initial=_possible(map_, initial))
        if request.method == "POST" and form.is_valid():
            for name, value in form.values().items():
                setattr(part, name, value)
            return self._try(request, map_, kind, part, lambda: edits.add(part, by=_who(request), now=clock.utcnow()))
        return self._form_page(request, map_, kind, part, form)

    def part(self, request: HttpRequest, map_id: UUID, kind: str, part_id: UUID) -> HttpResponse:
        """Look at a part; who may change the map may also write."""
        map_ = self.seen(request, map_id)
        part = _part(map_, kind, part_id)
        form = _form(kind, request, map_, part)
        if request.method != "POST":
            return self._form_page(request, map_, kind, part, form)
        if not may_change(request.user, map_):
            raise PermissionDenied
        if not form.is_valid():
            return self._form_page(request, map_, kind, _part(map_, kind, part_id), form)
        seen, values = _part(map_, kind, part_id), form.values()
        for name in request.POST.getlist("take"):
            # What the other one wrote; should it have changed again, the revision tells.
            values |= {key: getattr(seen, key) for key in (name, f"{name}_id") if key in values}
        lock = form.cleaned_data["lock"] or 0

        def write() -> AnyPart:
            return edits.edit(seen, values, lock=lock, by=_who(request), now=clock.utcnow())  # type: ignore[type-var]

        return self._try(request, map_, kind, seen, write)

    def move(self, request: HttpRequest, map_id: UUID, kind: str, part_id: UUID) -> HttpResponse:
        """Along its neighbours by `places`, or a touchpoint into another cell."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        map_ = self.mine(request, map_id)
        part: Any = _part(map_, kind, part_id)
        how: dict[str, Any] = {"lock": _number(request, "lock"), "by": _who(request), "now": clock.utcnow()}
        if "places" in request.POST:
            return self._try(request, map_, kind, part, lambda: edits.shift(part, _number(request, "places"), **how))
        if not isinstance(part, Touchpoint):
            raise Http404
        stage, channel = _key(request, "stage"), _key(request, "channel")
        return self._try(request, map_, kind, part, lambda: edits.move(part, stage, channel, **how))

    def remove(self, request: HttpRequest, map_id: UUID, kind: str, part_id: UUID) -> HttpResponse:
        return self._plainly(request, map_id, kind, part_id, edits.remove)

    def undo(self, request: HttpRequest, map_id: UUID, kind: str, part_id: UUID) -> HttpResponse:
        return self._plainly(request, map_id, kind, part_id, edits.undo)

    def place(self, request: HttpRequest, map_id: UUID) -> HttpResponse:
        """Put a live step on the map: at a touchpoint, or at a new one in a stage."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        map_ = self.mine(request, map_id)
        form = PlaceForm(request.POST)
        found = _live(request, map_, form) if form.is_valid() else None
        if found is None:
            messages.error(request, gettext("This step is not live any more, or there is no such place on the map."))
            return redirect(matrix_address(map_, request.POST))
        try:
            with transaction.atomic():
                touchpoint = _place(request, map_, form, found)
                placed = place(touchpoint, found.journey, found.step.id)
                after = {"journey": str(found.journey.pk), "step": found.step.id, "touchpoint": str(touchpoint.pk)}
                record(request.user, "place_step", placed, None, after, brand=map_.brand, now=clock.utcnow())
        except (Full, Gone):
            messages.error(request, gettext("The map is full, or the place is no longer there."))
        else:
            told = {"step": found.step.id, "touchpoint": touchpoint.name}
            messages.success(request, gettext("“%(step)s” now stands at “%(touchpoint)s”.") % told)
        return redirect(matrix_address(map_, request.POST))

    def unplace(self, request: HttpRequest, map_id: UUID) -> HttpResponse:
        """Take a step that was placed by hand off its touchpoint."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        map_ = self.mine(request, map_id)
        placed = PlacedStep.objects.filter(pk=_number(request, "placed"), touchpoint__map=map_).first()
        if placed is None:
            raise Http404
        with transaction.atomic():
            before = {
                "journey": str(placed.journey_id),
                "step": placed.step_id,
                "touchpoint": str(placed.touchpoint_id),
            }
            record(request.user, "unplace_step", placed, before, None, brand=map_.brand, now=clock.utcnow())
            placed.delete()
        return redirect(matrix_address(map_, request.POST))

    def _plainly(
        self, request: HttpRequest, map_id: UUID, kind: str, part_id: UUID, verb: Callable[..., AnyPart]
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        map_ = self.mine(request, map_id)
        part = _part(map_, kind, part_id)
        lock, who = _number(request, "lock"), _who(request)
        return self._try(request, map_, kind, part, lambda: verb(part, lock=lock, by=who, now=clock.utcnow()))

    def _try(
        self, request: HttpRequest, map_: JourneyMap, kind: str, part: AnyPart, write: Callable[[], AnyPart]
    ) -> HttpResponse:
        """Write, note it in the audit trail and go back to the map; or say why not."""
        before = 0 if part._state.adding else part.lock_version
        try:
            with transaction.atomic():
                written = write()
                revision = _noted(request, map_, written) if written.lock_version > before else None
        except Outdated as outdated:
            return self._outdated_page(request, map_, kind, outdated)
        except ValidationError as error:
            form = _form(kind, request, map_, part)
            form.is_valid()
            form.add_error(None, list(error.messages))
            return self._form_page(request, map_, kind, part, form)
        except (StillUsed, Gone, Full) as refused:
            messages.error(request, _refusals()[type(refused)])
            return redirect(matrix_address(map_, request.POST))
        return redirect(matrix_address(map_, request.POST, revision))

    def _outdated_page(self, request: HttpRequest, map_: JourneyMap, kind: str, outdated: Outdated) -> HttpResponse:
        """Both versions side by side; nothing was written, and nothing that was typed is lost."""
        initial = {name.removesuffix("_id"): value for name, value in outdated.merged.items()}
        part = outdated.part
        form = FORMS[kind](
            initial=initial | {"lock": part.lock_version},
            instance=part,
            map_=map_,
            user=request.user,
        )
        return self._form_page(request, map_, kind, part, form, outdated)

    def _form_page(
        self,
        request: HttpRequest,
        map_: JourneyMap,
        kind: str,
        part: Any,
        form: PartForm,
        outdated: Outdated | None = None,
    ) -> HttpResponse:
        is_new = part._state.adding
        context = {
            "title": MODELS[kind]._meta.verbose_name if is_new else part,
            "map": map_,
            "kind": kind,
            "part": part,
            "is_new": is_new,
            "form": form,
            "fields": written_fields(form, outdated.changes if outdated else ()),
            "outdated": outdated,
            "editable": may_change(request.user, map_),
            "kept": kept(request.POST or request.GET),
            **({} if is_new else _beside(request, map_, part)),
        }
        status = 409 if outdated else 422 if form.errors else 200
        return self.page(request, "part", context, status)


def _beside(request: HttpRequest, map_: JourneyMap, part: AnyPart) -> dict[str, Any]:
    """What else is known of a part: its history, and of a touchpoint its steps."""
    revisions = MapRevision.objects.filter(part_id=part.pk).select_related("by").order_by("-number")
    found: dict[str, Any] = {"revisions": revisions[:_REVISIONS_SHOWN]}
    if isinstance(part, Touchpoint):
        steps = [live for live in live_of(request, map_) if live.touchpoint_id == part.pk]
        found["card"] = Card(part, TouchpointNumbers(), steps)
        found["placed"] = part.placed_steps.filter(journey__in=Journey.objects.visible_to(request.user)).select_related(
            "journey"
        )
    return found


def _noted(request: HttpRequest, map_: JourneyMap, part: AnyPart) -> MapRevision:
    """The revision that was just made, told to the audit trail."""
    *_earlier, newest = last = list(MapRevision.objects.filter(part_id=part.pk).order_by("-number")[:2])[::-1]
    was = last[0].values if len(last) == 2 else {}
    differing = [name for name, value in newest.values.items() if was.get(name) != value]
    before, after = ({name: values.get(name) for name in differing} for values in (was, newest.values))
    record(
        request.user, f"map_{newest.action}", part, before if was else None, after, brand=map_.brand, now=clock.utcnow()
    )
    return newest


def _model(kind: str) -> type[AnyPart]:
    if kind not in MODELS:
        raise Http404
    return MODELS[kind]


def _part(map_: JourneyMap, kind: str, part_id: UUID) -> AnyPart:
    """A part of this very map, as it stands now; also one that was taken off, which can be put back."""
    part = _model(kind)._default_manager.filter(pk=part_id, map=map_).first()
    if part is None:
        raise Http404
    return part


def _form(kind: str, request: HttpRequest, map_: JourneyMap, part: AnyPart, **more: Any) -> PartForm:
    data = request.POST if request.method == "POST" else None
    return FORMS[kind](data, instance=part, map_=map_, user=request.user, **more)


def _possible(map_: JourneyMap, initial: dict[str, str]) -> dict[str, Any]:
    """The cell that was clicked, as far as an address can be believed."""
    found: dict[str, Any] = {}
    for name, model in (("stage", MapStage), ("channel", MapChannel)):
        try:
            key = UUID(initial.get(name, ""))
        except ValueError:
            continue
        found[name] = model._default_manager.filter(map=map_, pk=key).first()
    return found


def _live(request: HttpRequest, map_: JourneyMap, form: PlaceForm) -> LiveStep | None:
    wanted = form.cleaned_data["journey"], form.cleaned_data["step"]
    return next((one for one in live_of(request, map_) if (one.journey.pk, one.step.id) == wanted), None)


def _place(request: HttpRequest, map_: JourneyMap, form: PlaceForm, live: LiveStep) -> Touchpoint:
    """The touchpoint that was chosen, or a new one in the row of the step's channel, made where there is none."""
    kind, key = form.target()
    if kind == "touchpoint":
        chosen = Touchpoint.objects.filter(map=map_, removed_at=None, pk=key).first()
        if chosen is None:
            raise Gone
        return chosen
    who, now = _who(request), clock.utcnow()
    row = MapChannel.objects.filter(map=map_, kind=live.step.channel, removed_at=None).first()
    row = row or edits.add(MapChannel(map=map_, kind=live.step.channel), by=who, now=now)
    name = f"{live.journey.name} · {live.step.id}"[:120]
    new = Touchpoint(map=map_, stage_id=key, channel=row, name=name, intent=Touchpoint.Intent.LIVE)
    return edits.add(new, by=who, now=now)


def _who(request: HttpRequest) -> int | None:
    return request.user.pk


def _number(request: HttpRequest, name: str) -> int:
    """A small whole number of a form; what is none is no revision of anything."""
    try:
        return max(min(int(request.POST.get(name, "")), 2**31 - 1), -(2**31))
    except ValueError:
        return 0


def _key(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise Http404 from None


def _refusals() -> dict[type[Exception], str]:
    return {
        StillUsed: gettext("There are still touchpoints here: move or remove them first."),
        Gone: gettext("That stage or channel has been taken off the map meanwhile."),
        Full: gettext("The map is full: no more of these fit on a page."),
    }
