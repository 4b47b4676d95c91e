"""What the author's page works on: a document being written, who may write it, and what is to be said about it."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.authoring.controls import Control, inner_id, place, suggestions
from customers.authoring.edits import Removal
from customers.rules.errors import Problem
from customers.visibility import may_change
from journeys.admin.calendar import upcoming
from journeys.authoring.choices import of_brand
from journeys.authoring.controls import controls
from journeys.authoring.tidy import lost_in_the_form
from journeys.diff import Change, compare
from journeys.drafts import StaleDraft
from journeys.models import Journey

# What a journey that was never written begins with: the states most have.
OUTLINE: dict[str, Any] = {
    "states": [
        {"name": "started", "kind": "initial"},
        {"name": "reached", "kind": "success"},
        {"name": "not_reached", "kind": "failure"},
    ],
    "transitions": [["started", "reached"], ["started", "not_reached"]],
    "entry": {},
    "steps": [],
}
# Longer journeys are shown folded, step by step.
_UNFOLDED = 12
# What the page has a place for; whatever else a definition may get is shown behind.
_SHOWN_BY_NAME = ("purpose", "entry", "states", "transitions", "steps", "exit_events", "exit_rules")


@dataclass(slots=True)
class Desk:
    """One document as one person sees it. `lock` is the revision it was begun upon."""

    journey: Journey
    document: dict[str, Any]
    lock: int
    may_write: bool
    problems: list[Problem] = field(default_factory=list)
    # Problems are shown once somebody asked for them.
    is_checked: bool = False
    removal: Removal | None = None
    focus: str = ""
    said: str = ""
    refused: str = ""
    theirs: "Theirs | None" = None

    def context(self, request: HttpRequest) -> dict[str, Any]:
        choices = of_brand(self.journey.brand_id)
        made = controls(self.document, choices)
        placed = place(made.values(), self.problems) if self.is_checked else []
        self._unfold(made["steps"])
        return {
            **page(request, self.journey, "author"),
            "desk": self,
            "fields": made,
            "known": _SHOWN_BY_NAME,
            "placed": placed,
            "focus_id": inner_id(made.values(), self.focus),
            "suggestions": suggestions(made.values()),
            "is_dirty": self.document != self.journey.draft and not self._is_outline,
            "undo": json.dumps(self.removal.as_json()) if self.removal else "",
            "lost": lost_in_the_form(self.document),
            "is_outline": self._is_outline,
            "upcoming": upcoming(self.document),
        }

    @property
    def _is_outline(self) -> bool:
        return not self.journey.draft and self.document == OUTLINE

    def _unfold(self, steps: Control) -> None:
        for step in steps.controls:
            is_focus = self.focus.startswith(f"{step.pointer}/") or self.focus == step.pointer
            step.extra["is_open"] = len(steps.controls) <= _UNFOLDED or step.has_problem or is_focus


@dataclass(slots=True)
class Theirs:
    """What somebody else saved meanwhile, and how it and mine differ from what both began with."""

    revision: int
    saved_by: str
    their_changes: list[Change]
    my_changes: list[Change]


def open_journey(request: HttpRequest, journey_id: UUID, *, to_write: bool = False) -> Journey:
    """The journey, if this person may see it, or change it; else there is none, or no permission."""
    if not request.user.has_perm("journeys.view_journey") and not request.user.has_perm("journeys.change_journey"):
        raise PermissionDenied
    seen = Journey.objects.visible_to(request.user).select_related("brand", "squad", "live_version")
    journey = seen.filter(pk=journey_id).first()
    if journey is None:
        raise Http404
    if to_write and not may_change(request.user, journey):
        raise PermissionDenied
    return journey


def page(request: HttpRequest, journey: Journey, tab: str) -> dict[str, Any]:
    """What all pages of a journey's author share."""
    tabs = (
        ("author", _("States and steps")),
        ("publication", _("Changes and publication")),
        ("versions", _("Versions")),
        ("simulations", _("Simulate")),
        ("text", _("As text")),
        ("people", _("Call a list")),
        ("status", _("Status")),
    )
    return {
        **admin.site.each_context(request),
        "opts": Journey._meta,
        "original": journey,
        "journey": journey,
        "title": journey.name,
        "tabs": [{"label": label, "address": address(journey, name), "is_here": name == tab} for name, label in tabs],
        "may_write": may_change(request.user, journey),
        "may_publish": request.user.has_perm("journeys.publish_journey") and may_change(request.user, journey),
    }


def address(journey: Journey, name: str) -> str:
    return reverse(f"admin:journeys_journey_{name}", args=[journey.pk])


def theirs(stale: StaleDraft, base: dict[str, Any], mine: dict[str, Any]) -> Theirs:
    saved = stale.journey.draft_revisions.filter(number=stale.revision).select_related("saved_by").first()
    name = str(saved.saved_by) if saved and saved.saved_by else _("Somebody")
    return Theirs(stale.revision, name, compare(base, stale.document), compare(base, mine))
