"""What a segment is: its rule checked and set, its inputs awaited, and its end."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers import internal
from customers.models import Job, Segment, SegmentInput, SegmentVersion
from customers.rules import PEOPLE, Facts, Rule, RuleError, parse
from customers.rules.errors import Problem
from customers.rules.rule import leaves
from customers.segments import build, telling
from customers.segments.alone import one_at_a_time
from customers.segments.count import count

_QUEUES: Final = ("customers_segment_queue", "customers_segment_turn")


# Who looks at segments from above: the names of those that look at this one.
User = Callable[[Segment], Iterable[str]]
_users: list[User] = []


class InUse(Exception):
    """Others look at it; they are named."""

    def __init__(self, by: list[str]) -> None:
        super().__init__(by)
        self.by = by


class Archived(Exception):
    """It follows nothing any more, and is not brought back."""


class Stale(Exception):
    """Somebody has set another rule since the one that was to be replaced."""


def read_rule(tree: object, brand_id: UUID, segment_id: UUID | None = None) -> Rule:
    """The rule that the tree says, in a segment of that brand; RuleError with all that is wrong."""
    rule = parse(tree, PEOPLE)
    found = [*_unknown(rule, brand_id), *_reserved(rule), *_circles(rule, brand_id, segment_id)]
    if found:
        raise RuleError(found)
    return rule


def set_rule(segment: Segment, tree: object, now: datetime, by: Any = None, *, instead_of: int | None = None) -> Job:
    """Give it this rule, and ask for it to be built; whoever is in it meanwhile is so by the rule before.

    `instead_of` is the version it is meant to replace: Stale, if that is no longer the latest.
    """
    with transaction.atomic():
        one_at_a_time(segment.brand_id)
        rule = read_rule(tree, segment.brand_id, segment.pk)
        held = _held(segment)
        if instead_of is not None and held.rule_version != instead_of:
            raise Stale
        segment.rule, segment.rule_version = rule.to_json(), held.rule_version + 1
        segment.builds = held.builds
        segment.save(update_fields=["rule", "rule_version"])
        SegmentVersion.objects.create(
            segment=segment, number=segment.rule_version, rule=segment.rule, made_at=now, made_by=by
        )
        telling.settle(segment.brand_id)
        segment.refresh_from_db(fields=["is_personal"])
        SegmentInput.objects.filter(segment=segment).delete()
        SegmentInput.objects.bulk_create(
            SegmentInput(segment=segment, kind=kind, name=name) for kind, name in sorted(inputs_of(segment, rule))
        )
        return build.ask(segment, now, by)


def rebuild(segment: Segment, now: datetime, by: Any = None) -> Job:
    """Ask everybody anew."""
    with transaction.atomic():
        return build.ask(_held(segment), now, by)


def _held(segment: Segment) -> Segment:
    held = Segment.objects.select_for_update().get(pk=segment.pk)
    if held.state == Segment.State.ARCHIVED:
        raise Archived
    return held


def open_list(segment: Segment, now: datetime) -> None:
    """A list has no rule to be built by."""
    Segment.objects.filter(pk=segment.pk).update(state=Segment.State.LIVE, built_at=now)
    count(segment, now)


@transaction.atomic
def archive(segment: Segment) -> None:
    """Follow nothing any more; who was in it last stays written. Raises InUse."""
    # A rule set at the same time might name it, and not be seen here.
    one_at_a_time(segment.brand_id)
    held = Segment.objects.select_for_update().get(pk=segment.pk)
    users = [*(other.key for other in used_by(held)), *used_above(held)]
    if users:
        raise InUse(users)
    held.state = Segment.State.ARCHIVED
    held.save(update_fields=["state"])
    SegmentInput.objects.filter(segment=held).delete()
    with connection.cursor() as cursor:
        for table in _QUEUES:
            cursor.execute(f"DELETE FROM {table} WHERE segment_id = %s", [held.pk])


def used_by(segment: Segment) -> list[Segment]:
    """The segments whose rules look at this one."""
    inputs = SegmentInput.objects.filter(kind=SegmentInput.Kind.SEGMENT, name=str(segment.pk))
    return list(Segment.objects.filter(pk__in=inputs.values("segment")))


def register_user(user: User) -> None:
    if user not in _users:
        _users.append(user)


def used_above(segment: Segment) -> list[str]:
    """What else looks at it, by name: journeys, say."""
    return [name for user in _users for name in user(segment)]


def inputs_of(segment: Segment, rule: Rule) -> set[tuple[str, str]]:
    """(kind, name) of all that may change the rule's answer in somebody."""
    kinds = SegmentInput.Kind
    others = Segment.objects.filter(brand=segment.brand_id, key__in=rule.root.segments)
    found = {(kinds.TRAIT.value, name) for name in rule.traits}
    found |= {(kinds.EVENT.value, name) for name in rule.root.events}
    found |= {(kinds.IDENTIFIER.value, name) for name in rule.root.identifiers}
    found |= {(kinds.SEGMENT.value, str(key)) for key in others.values_list("pk", flat=True)}
    found |= rule.root.watched
    if rule.holds(Facts()):
        found.add((kinds.NEW.value, ""))
    return found


def _unknown(rule: Rule, brand_id: UUID) -> Iterator[Problem]:
    for pointer, leaf in leaves(rule.root):
        yield from (replace(one, pointer=pointer + one.pointer) for one in leaf.absent(brand_id))


def _reserved(rule: Rule) -> Iterator[Problem]:
    for name in sorted(name for name in rule.root.events if internal.is_reserved(name)):
        message = format_lazy(_("{name} is told by Trilha itself."), name=name)
        hint = _("Such events are told only where a journey waits for them, so they cannot be counted.")
        yield Problem("reserved_event", "", message, hint)


def _circles(rule: Rule, brand_id: UUID, segment_id: UUID | None) -> Iterator[Problem]:
    """A segment must not look at itself, by way of others either: none of them could be settled first."""
    there = Segment.objects.filter(brand=brand_id)
    beyond = set(there.filter(key__in=rule.root.segments).values_list("pk", flat=True))
    seen: set[UUID] = set()
    while beyond:
        if segment_id in beyond:
            hint = _("Take out what leads back to this segment.")
            yield Problem("circular_segments", "", _("The segment looks at itself, by way of others."), hint)
            return
        seen |= beyond
        links = SegmentInput.objects.filter(kind=SegmentInput.Kind.SEGMENT, segment__in=beyond)
        beyond = {UUID(name) for name in links.values_list("name", flat=True)} - seen
