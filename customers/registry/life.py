"""The life of a schema version: draft, proposed, approved, deprecated; who did what, and what stood in the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from customers.models import EventType, SchemaVersion
from customers.registry import compatibility, roles, sound, upcast, upcast_schema
from customers.registry.compatibility import BACKWARD, DIRECTIONS, Breach
from customers.registry.fault import Fault

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.utils.functional import _StrOrPromise


class NotDone(ValueError):
    """Why a version does not move on in its life."""

    def __init__(self, text: "_StrOrPromise") -> None:
        super().__init__(text)
        self.text = text


@dataclass(slots=True)
class Verdict:
    """Whether a version may follow the latest one: nothing wrong with itself, and nothing that breaks readers."""

    previous: SchemaVersion | None
    faults: list[Fault] = field(default_factory=list)
    upcast_faults: list[Fault] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    @property
    def may_follow(self) -> bool:
        return not (self.faults or self.upcast_faults or self.breaches)


def latest(event_type: EventType) -> SchemaVersion | None:
    """The version that events are read in the shape of; deprecated or not, since events of it exist."""
    return event_type.versions.exclude(status=SchemaVersion.Status.DRAFT).order_by("-number").first()


def judge(version: SchemaVersion) -> Verdict:
    """The version as it stands, against the latest of its type."""
    type_ = version.event_type
    verdict = Verdict(latest(type_))
    verdict.faults = sound.faults(version.schema)
    operations, verdict.upcast_faults = upcast.read(version.upcast)
    if verdict.faults or verdict.upcast_faults:
        return verdict
    verdict.faults = roles.faults(type_, version.schema)
    if verdict.previous is not None:
        verdict.upcast_faults = upcast_schema.unknown(verdict.previous.schema, operations)
        if not verdict.upcast_faults:
            verdict.breaches = list(_breaches(verdict.previous.schema, version.schema, operations, type_.compatibility))
    elif operations:
        hint = _("The first version has none before it.")
        verdict.upcast_faults = [Fault("upcast_invalid", "", _("There is no version to upcast from."), hint)]
    return verdict


def _breaches(old: Any, new: Any, operations: list[upcast.Operation], mode: str) -> Iterator[Breach]:
    """Old events are upcast before the new schema reads them; nothing turns new events back for old readers."""
    for direction in DIRECTIONS[mode]:
        before = upcast_schema.after(old, operations) if direction == BACKWARD else old
        yield from compatibility.compare(before, new, direction)


def propose(version: SchemaVersion, by: "AbstractBaseUser", now: datetime) -> None:
    """Ask for approval, which only what may follow can."""
    with transaction.atomic():
        version = _locked(version)
        if version.status != SchemaVersion.Status.DRAFT:
            raise NotDone(_("Only a draft is proposed."))
        _must_follow(version)
        version.proposed_by_id, version.proposed_at = by.pk, now
        version.save(update_fields=["proposed_by", "proposed_at"])


def proposal(version: SchemaVersion) -> str:
    """What names a proposal: whoever changes the draft takes it back, and the next is another."""
    return "" if version.proposed_at is None else version.proposed_at.isoformat()


def approve(version: SchemaVersion, by: "AbstractBaseUser", now: datetime, *, seen: str = "") -> SchemaVersion:
    """Make a proposed version the latest; it is judged once more, since another may have come between.

    `seen` is the proposal that was read: nothing else is approved in its place.
    """
    try:
        with transaction.atomic():
            version = _locked(version)
            _may_approve(version, by)
            if seen and seen != proposal(version):
                raise NotDone(_("It was changed and proposed anew since you read it. Look at it again."))
            previous = _must_follow(version)
            version.status = SchemaVersion.Status.APPROVED
            version.follows = previous
            if previous is not None and previous.number > version.number:
                highest = version.event_type.versions.aggregate(highest=Max("number"))["highest"]
                version.number = highest + 1
            version.approved_by_id, version.approved_at = by.pk, now
            version.save(update_fields=["status", "follows", "number", "approved_by", "approved_at"])
            return version
    except IntegrityError:
        raise NotDone(_("Another version was approved just now. Look at this one again.")) from None


def deprecate(version: SchemaVersion, by: "AbstractBaseUser", now: datetime) -> None:
    """Hold no event to it any more; events of it stay, and are upcast as before."""
    with transaction.atomic():
        version = _locked(version)
        if version.status != SchemaVersion.Status.APPROVED:
            raise NotDone(_("Only an approved version is deprecated."))
        version.status = SchemaVersion.Status.DEPRECATED
        version.deprecated_by_id, version.deprecated_at = by.pk, now
        version.save(update_fields=["status", "deprecated_by", "deprecated_at"])


def hold_draft(version: SchemaVersion) -> None:
    """Until the transaction ends it stays a draft: for whoever writes it."""
    if _locked(version).status != SchemaVersion.Status.DRAFT:
        raise NotDone(_("It was approved meanwhile, and is not changed any more. Make a new version."))


def _locked(version: SchemaVersion) -> SchemaVersion:
    """The version as it is now; the row of its type is the lock under which its versions change."""
    EventType.objects.select_for_update().get(pk=version.event_type_id)
    return SchemaVersion.objects.select_related("event_type__brand").get(pk=version.pk)


def _may_approve(version: SchemaVersion, by: "AbstractBaseUser") -> None:
    if version.status != SchemaVersion.Status.DRAFT or version.proposed_at is None:
        raise NotDone(_("Only a proposed draft is approved."))
    if version.event_type.brand.second_person_approves and version.proposed_by_id == by.pk:
        raise NotDone(_("In this brand a second person approves: not whoever proposed it."))


def _must_follow(version: SchemaVersion) -> SchemaVersion | None:
    verdict = judge(version)
    if not verdict.may_follow:
        raise NotDone(_("It may not follow the version before as it stands. The page of the draft says why."))
    return verdict.previous
