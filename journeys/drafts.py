"""Drafts: saved without overwriting each other, checked, compared, published and copied."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from customers import audit
from customers.rules.errors import Problem
from journeys.authoring.edits import fresh
from journeys.authoring.missing import misfits
from journeys.authoring.references import items, references
from journeys.changeover import PlanRow, as_json
from journeys.definition import InvalidDefinition, parse
from journeys.diff import Change, compare
from journeys.models import DraftRevision, Journey, JourneyVersion, Run
from journeys.publish import bind, publish
from journeys.validate import MAX_STEPS, problems_of

__all__ = ["Change", "compare"]

# Of a document as JSON: 500 steps of the longest kind are a fifth of it.
MOST_BYTES: Final = 1_000_000
_DEEPEST = 32
# Infinity and “not a number” are not below it either.
_TOO_LARGE = 2**63
KEPT_REVISIONS: Final = 100
# A page says “more than”, rather than count on.
COUNTED: Final = 10_000


class StaleDraft(Exception):
    """Somebody saved meanwhile; `revision` is what they saved."""

    def __init__(self, journey: Journey, lock: int) -> None:
        super().__init__(f"draft {journey.draft_revision} is newer than {lock}")
        self.journey = journey
        self.revision = journey.draft_revision
        self.document: dict[str, Any] = journey.draft


class UnfitDraft(Exception):
    """A document that cannot even be kept as a draft."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem.message) for problem in problems))
        self.problems = problems


class NotPossible(Exception):
    """What was asked for does not suit the journey's status; the text is for people."""


def save_draft(journey: Journey, document: object, *, by: AbstractBaseUser | None, now: datetime, lock: int) -> Journey:
    """Keep `document` as the draft, complete or not. `lock` is the revision it was written upon.

    Raises StaleDraft if another was saved since, and UnfitDraft for what is no document of a journey at all.
    """
    fit = _fit(document)
    with transaction.atomic():
        locked = Journey.objects.select_for_update().get(pk=journey.pk)
        if locked.draft_revision != lock:
            raise StaleDraft(locked, lock)
        if locked.draft == fit:
            return locked
        if lock == 0 and locked.draft:
            DraftRevision.objects.create(journey=locked, number=0, document=locked.draft, saved_at=locked.created_at)
        changes = [change.text for change in compare(locked.draft, fit)]
        locked.draft, locked.draft_revision = fit, lock + 1
        locked.save(update_fields=("draft", "draft_revision"))
        DraftRevision.objects.create(
            journey=locked,
            number=locked.draft_revision,
            document=fit,
            saved_at=now,
            saved_by=by,  # type: ignore[misc]  # the user model is Django's own
        )
        locked.draft_revisions.filter(number__lte=locked.draft_revision - KEPT_REVISIONS).delete()
        told = {"revision": locked.draft_revision, "changes": changes[:50]}
        audit.record(by, "save_draft", locked, {"revision": lock}, told, brand=locked.brand, now=now)
    return locked


def draft_at(journey: Journey, revision: int) -> dict[str, Any] | None:
    """The draft as it stood at a revision; None if that is not kept any more."""
    if revision == journey.draft_revision:
        return dict(journey.draft)
    kept = journey.draft_revisions.filter(number=revision).values_list("document", flat=True).first()
    return {} if kept is None and revision == 0 else kept


def validate(document: object, journey: Journey | None = None) -> list[Problem]:
    """Everything that keeps the document from being published, each at its place; in `journey`'s brand, if given."""
    if not isinstance(document, Mapping):
        return [Problem("wrong_type", "", _("A journey's document is an object."))]
    problems = misfits(document)
    if problems:
        return problems
    try:
        definition, steps = parse(document)
    except InvalidDefinition as error:
        return list(error.problems)
    problems = list(_at_their_fields(document, problems_of(definition, steps)))
    if journey is not None:
        try:
            bind(journey, definition, steps)
        except InvalidDefinition as error:
            problems += error.problems
    return problems


def _at_their_fields(document: Mapping[str, Any], problems: Iterable[Problem]) -> Iterator[Problem]:
    """A step that is not there is told of once a step; here at every field that names it."""
    ids = {step.get("id") for step in items(document, "steps")}
    told = False
    for problem in problems:
        if problem.code != "unknown_step":
            yield problem
        elif not told:
            told = True
            for reference in references(document, "step"):
                if reference.value is not None and reference.value not in ids:
                    text = _("There is no step “%(name)s”.") % {"name": reference.value}
                    yield replace(problem, pointer=reference.pointer, message=text)


def publish_draft(
    journey: Journey,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    revision: int,
    plan: Sequence[PlanRow] = (),
) -> JourneyVersion:
    """Make the draft of this revision live; raises StaleDraft, InvalidDefinition (of a plan: InvalidPlan) or
    NotPossible."""
    journey.refresh_from_db()
    if journey.draft_revision != revision:
        raise StaleDraft(journey, revision)
    if journey.status == Journey.Status.ARCHIVED:
        raise NotPossible(_("The journey is archived: bring it back before publishing."))
    problems = validate(journey.draft, journey)
    if problems:
        raise InvalidDefinition(problems)
    before = None if journey.live_version is None else {"version": journey.live_version.number}
    made = publish(journey, journey.draft, by=by, now=now, plan=plan)
    after = {"version": made.number} | ({"plan": said} if (said := as_json(plan)) else {})
    audit.record(by, "publish", journey, before, after, brand=journey.brand, now=now)
    return made


def duplicate(journey: Journey, *, by: AbstractBaseUser | None, now: datetime) -> Journey:
    """A new journey with the draft of this one, or its live version if it has no draft."""
    document = journey.draft or (journey.live_version.definition if journey.live_version else {})
    with transaction.atomic():
        # Two who duplicate at once take turns, and get two keys.
        Journey.objects.select_for_update().get(pk=journey.pk)
        keys = set(Journey.objects.filter(brand_id=journey.brand_id).values_list("key", flat=True))
        made = Journey.objects.create(
            brand_id=journey.brand_id,
            squad_id=journey.squad_id,
            key=fresh(f"{journey.key[:50]}-copy", keys),
            name=(_("%(name)s (copy)") % {"name": journey.name[:180]}),
            description=journey.description,
            draft=document,
        )
        after = {"key": made.key, "of": str(journey.pk)}
        audit.record(by, "duplicate", made, None, after, brand=made.brand, now=now)
    return made


def live_runs(journey: Journey) -> dict[int, int]:
    """Runs still on their way, by version; counted to `COUNTED` in all."""
    live = Run.objects.filter(journey_id=journey.pk, status=Run.Status.ACTIVE)
    counts: dict[int, int] = {}
    for version_id in live.order_by().values_list("version_id", flat=True)[: COUNTED + 1]:
        counts[version_id] = counts.get(version_id, 0) + 1
    return counts


def _fit(document: object) -> dict[str, Any]:
    """The document as JSON can keep it, or UnfitDraft."""
    if not isinstance(document, Mapping):
        raise UnfitDraft([Problem("wrong_type", "", _("A journey's document is an object."))])
    if len(items(document, "steps")) > MAX_STEPS:
        text = _("A journey has between 1 and %(most)s steps.") % {"most": MAX_STEPS}
        raise UnfitDraft([Problem("step_count", "/steps", text)])
    problems = list(_unfit(document, "", 1))
    if problems:
        raise UnfitDraft(problems[:20])
    encoded = msgspec.json.encode(document)
    if len(encoded) > MOST_BYTES:
        raise UnfitDraft([Problem("too_large", "", _("The document is too large."), _("At most 1 MB."))])
    fit: dict[str, Any] = msgspec.json.decode(encoded)
    return fit


def _unfit(value: Any, pointer: str, level: int) -> Iterator[Problem]:
    if level > _DEEPEST:
        yield Problem("too_deep", pointer, _("This is nested too deeply."))
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield Problem("bad_character", pointer, _("This text holds a character that cannot be kept."))
    elif isinstance(value, int | float) and not -_TOO_LARGE < value < _TOO_LARGE:
        yield Problem("number_out_of_range", pointer, _("This number cannot be kept."))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unfit(str(key), f"{pointer}/{key}", level)
            yield from _unfit(inner, f"{pointer}/{key}", level + 1)
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            yield from _unfit(inner, f"{pointer}/{n}", level + 1)
