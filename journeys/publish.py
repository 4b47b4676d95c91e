"""Publishing: a checked definition becomes an immutable version, and no event of it is missed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, Max, Q, Value, When
from django.utils.translation import gettext as _

from channels.models import Connector, Template, TemplateVersion
from consent.models import Purpose
from customers import bells
from customers.awaited import await_names
from customers.models import Segment
from customers.rules.errors import Problem
from journeys import asks
from journeys.changeover import PlanRow, as_json, check_plan
from journeys.compiling import awaited_names
from journeys.definition import Definition, Entry, InvalidDefinition
from journeys.entry import occurrences
from journeys.entry.calls import call_in
from journeys.entry.segments import bind_segments
from journeys.models import Changeover, Journey, JourneyVersion, Touchpoint
from journeys.steps.base import Step
from journeys.steps.message import Message
from journeys.validate import check
from journeys.variables_said import names_in_templates

# Who paused it said what becomes of those in it, and only resuming brings them back.
_STATUS_AFTER = Case(When(status=Journey.Status.PAUSED, then=F("status")), default=Value(Journey.Status.LIVE.value))


def publish(
    journey: Journey,
    document: object,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    returns_to: JourneyVersion | None = None,
    plan: Sequence[PlanRow] = (),
) -> JourneyVersion:
    """Make `document` the journey's live version; raises InvalidDefinition. A paused journey stays paused.

    `plan` says what becomes of those on their way; who is not named stays on their version. The engine carries it out.

    The version and the names it awaits are committed first, then every resolve that does not know the names is
    waited for, and only then does the version go live (DESIGN §3). Must not be called inside a transaction.
    """
    definition, steps = check(document)
    bindings = bind(journey, definition, steps)
    check_plan(plan, journey, definition, steps)
    with transaction.atomic():
        locked = Journey.objects.select_for_update().get(pk=journey.pk)
        before = locked.live_version
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        made = JourneyVersion.objects.create(
            journey=locked,
            number=last + 1,
            definition=msgspec.to_builtins(document),
            bindings=bindings,
            published_at=now,
            published_by=by,  # type: ignore[misc]  # the user model is Django's own
            returns_to=returns_to,
        )
    await_names(f"journey_version:{made.id}", awaited_names(definition, steps))
    with transaction.atomic():
        # What has come by the schedule of the version before is carried out by that.
        occurrences.settle_all(Journey.objects.select_for_update().get(pk=journey.pk), now)
        # Of two publishers at once, the later version lives, whoever comes through last.
        older = Q(live_version=None) | Q(live_version__number__lt=made.number)
        is_live = Journey.objects.filter(older, pk=journey.pk).update(live_version=made, status=_STATUS_AFTER)
        if is_live:
            occurrences.plan(journey, made, now)
        if is_live and (said := as_json(plan)):
            Changeover.objects.create(
                journey=journey,
                version=made,
                plan=said,
                since=now,
                decided_by=by,  # type: ignore[misc]  # the user model is Django's own
            )
            bells.ring("engine")
    journey.refresh_from_db()
    if _takes_in(definition.entry, before):
        segment = Segment.objects.get(pk=bindings["segments"][definition.entry.segment])
        call_in(journey, segment, now, by=by)
    return made


def _takes_in(entry: Entry, before: JourneyVersion | None) -> bool:
    """Those who are in the segment already are called in once, and not by every version that lets in the same."""
    if not entry.take_in:
        return False
    said = before.definition["entry"] if before is not None else {}
    return not (said.get("take_in") and said.get("segment") == entry.segment)


def _no_purpose(key: str) -> str:
    return _("There is no purpose “%(key)s”.") % {"key": key}


def bind(journey: Journey, definition: Definition, steps: list[Step]) -> dict[str, Any]:
    """What the keys stand for in the journey's brand, as of now; the version keeps it."""
    messages = [(n, step) for n, step in enumerate(steps) if isinstance(step, Message)]
    calling = [(n, one) for n, step in enumerate(steps) if step.calls for one in step.connectors()]
    problems: list[Problem] = []
    connectors = {c.key: c for c in Connector.objects.filter(brand_id=journey.brand_id)}
    templates = {t.key: t for t in Template.objects.filter(brand_id=journey.brand_id)}
    latest = dict(
        TemplateVersion.objects.filter(template__brand_id=journey.brand_id)
        .values_list("template__key")
        .annotate(latest=Max("id"))
    )
    purposes = {p.key: p for p in Purpose.objects.filter(brand_id=journey.brand_id)}
    touchpoints = _touchpoints(journey, messages)
    if definition.purpose not in purposes:
        problems.append(Problem("unknown_purpose", "/purpose", _no_purpose(definition.purpose)))
    for n, step in messages:
        at = f"/steps/{n}"
        connector = connectors.get(step.connector)
        if connector is None or connector.channel != step.channel:
            problems.append(
                Problem("unknown_connector", f"{at}/connector", _("No connector of this channel has this key."))
            )
        problems += [
            Problem("unknown_template", at + place, _("No template of this channel has this key."))
            for place, key in step.templates()
            if key not in latest or templates[key].channel != step.channel
        ]
        if step.purpose and step.purpose not in purposes:
            problems.append(Problem("unknown_purpose", f"{at}/purpose", _no_purpose(step.purpose)))
        if step.touchpoint and step.touchpoint not in touchpoints:
            problems.append(
                Problem(
                    "unknown_touchpoint",
                    f"{at}/touchpoint",
                    _("There is no such touchpoint on a journey map of this brand."),
                    _("Choose another, or none."),
                )
            )
    problems += _unknown_journeys(journey, steps)
    problems += [
        Problem("unknown_connector", f"/steps/{n}{one.pointer}", _("No connector for calls has this key."))
        for n, one in calling
        if one.key not in connectors or connectors[one.key].channel != one.channel
    ]
    segments, unknown = bind_segments(journey.brand_id, definition.entry)
    problems += unknown
    named = names_in_templates(definition, messages, latest, problems)
    problems += asks.absent(definition, steps, journey.brand_id)
    if problems:
        raise InvalidDefinition(problems)
    asked = asks.purposes(definition, steps)
    # Which templates name typed variables: what runs hold is read for those alone.
    naming = {"names_variables": named} if named else {}
    return (
        naming
        | ({"segments": segments} if segments else {})
        | {
            "connectors": {one.key: str(connectors[one.key].id) for step in steps for one in step.connectors()},
            "templates": {key: latest[key] for _n, step in messages for _at, key in step.templates()},
            "purposes": {
                key: str(purposes[key].id)
                for key in {definition.purpose, *(s.purpose or definition.purpose for _n, s in messages), *asked}
            },
        }
    )


def _unknown_journeys(journey: Journey, steps: list[Step]) -> list[Problem]:
    going = [(f"/steps/{n}{at}", key) for n, step in enumerate(steps) for at, key in step.journeys()]
    if not going:
        return []
    known = set(Journey.objects.filter(brand_id=journey.brand_id).values_list("key", flat=True))
    message, hint = _("There is no journey “%(name)s”."), _("Use the key of a journey of this brand.")
    return [
        Problem("unknown_journey", pointer, message % {"name": key}, hint) for pointer, key in going if key not in known
    ]


def _touchpoints(journey: Journey, messages: list[tuple[int, Message]]) -> set[UUID]:
    """Those of the steps' touchpoints that stand on a map of the journey's brand."""
    named = {step.touchpoint for _n, step in messages if step.touchpoint}
    standing = Touchpoint.objects.filter(map__brand_id=journey.brand_id, removed_at=None, pk__in=named)
    return set(standing.values_list("pk", flat=True)) if named else set()
