"""The models of journey maps on the staff pages; what is on a map is edited on its matrix."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from analytics.admin.maps.edits import MapEdits
from analytics.admin.maps.pages import MapPages
from customers import clock
from customers.admin.base import Facts, Kept
from journeys.maps.standard import furnish
from journeys.models import JourneyMap, MapChannel, MapRevision, MapStage, PlacedStep, Touchpoint


@admin.register(JourneyMap)
class JourneyMapAdmin(Kept):
    list_display = ("name", "brand", "squad", "persona", "is_archived", "matrix_link", "metro_link")
    list_filter = ("is_archived", "brand", "squad")
    list_select_related = ("brand", "squad")
    search_fields = ("name",)
    search_help_text = _("A part of the name.")
    when_empty = _(
        "A journey map lays out how people meet you: stages from left to right, channels from top to bottom."
    )
    autocomplete_fields = ("brand", "squad")
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Its steps and numbers are the brand's.
        return ("brand", *self.readonly_fields) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("name", "brand", "squad", "persona", "description", "is_archived")
        return (*fields, "created_at") if obj else fields

    def get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        pages, edits = MapPages(self.admin_site), MapEdits(self.admin_site)
        wrap = self.admin_site.admin_view
        part = "<uuid:map_id>/matrix/<slug:kind>/"
        own: list[tuple[str, Any, str]] = [
            ("<uuid:map_id>/matrix/", pages.matrix, "matrix"),
            ("<uuid:map_id>/metro/", pages.metro, "metro"),
            ("<uuid:map_id>/count/", pages.count, "count"),
            ("<uuid:map_id>/place/", edits.place, "place"),
            ("<uuid:map_id>/unplace/", edits.unplace, "unplace"),
            (f"{part}add/", edits.add, "part_add"),
            (f"{part}<uuid:part_id>/", edits.part, "part"),
            (f"{part}<uuid:part_id>/move/", edits.move, "part_move"),
            (f"{part}<uuid:part_id>/remove/", edits.remove, "part_remove"),
            (f"{part}<uuid:part_id>/undo/", edits.undo, "part_undo"),
        ]
        named = [path(route, wrap(view), name=f"journeys_journeymap_{name}") for route, view, name in own]
        return [*named, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            furnish(obj, by=request.user.pk, now=clock.utcnow())

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        asked_for_more = {"_popup", "_addanother", "_continue"} & request.POST.keys()
        return answer if asked_for_more else redirect("admin:journeys_journeymap_matrix", obj.pk)

    @admin.display(description=_("matrix"))
    def matrix_link(self, obj: JourneyMap) -> SafeString:
        return _link("matrix", obj, _("matrix"))

    @admin.display(description=_("metro map"))
    def metro_link(self, obj: JourneyMap) -> SafeString:
        return _link("metro", obj, _("metro map"))


def _link(page: str, map_: JourneyMap, label: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:journeys_journeymap_{page}", args=[map_.pk]), label)


class MapParts(Facts):
    """What is on maps, to be found and read; the matrix is where it is changed."""

    list_select_related: ClassVar[Any] = ("map",)

    @admin.display(description=_("on the map"))
    def on_the_map(self, obj: Any) -> SafeString:
        return _link("matrix", obj.map, obj.map)


@admin.register(MapStage)
class MapStageAdmin(MapParts):
    list_display = ("name", "on_the_map", "position", "question", "removed_at")
    search_fields = ("id", "name")


@admin.register(MapChannel)
class MapChannelAdmin(MapParts):
    list_display = ("__str__", "kind", "on_the_map", "position", "removed_at")
    list_filter = ("kind",)
    search_fields = ("id", "name")


@admin.register(Touchpoint)
class TouchpointAdmin(MapParts):
    list_display = ("name", "on_the_map", "stage", "channel", "owner_role", "owner", "is_critical", "intent")
    list_filter = ("intent", "is_critical", "owner_role")
    list_select_related = ("map", "stage", "channel", "owner")
    search_fields = ("id", "name")


@admin.register(PlacedStep)
class PlacedStepAdmin(Facts):
    list_display = ("step_id", "journey", "touchpoint")
    list_select_related = ("journey", "touchpoint")
    search_fields = ("step_id",)


@admin.register(MapRevision)
class MapRevisionAdmin(Facts):
    list_display = ("at", "map", "action", "part_id", "number", "by")
    list_filter = ("action",)
    list_select_related = ("map", "by")
    search_fields = ("part_id",)
