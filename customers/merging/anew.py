"""Everybody grouped anew, after a kind's limits were changed; and traits chosen anew, after their definition was."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers import awaited, clock, jobs, kinds
from customers.jobs import Slice
from customers.merging.decide import follow
from customers.models import Identifier, Job, Profile, SegmentInput
from customers.pg import raw_cursor
from customers.resolve.component import closure
from customers.resolve.traits import refresh
from customers.segments.notice import traits_changed

REGROUP: Final = "regroup"
TRAITS: Final = "traits"
_PIECE: Final = 500

# What each identifier is seen with counts again, by the limits as they are now.
_SHARED = """
    UPDATE customers_identifier i SET shared_at = CASE WHEN seen.too_many THEN %b::timestamptz END
    FROM (
        SELECT o.profile_id, coalesce(count(n.id) > k.most_people, false) AS too_many
        FROM customers_identifier o JOIN customers_identifierkind k ON k.key = o.kind_id
        LEFT JOIN LATERAL (
            SELECT e.high_id AS id FROM customers_edge e WHERE e.low_id = o.profile_id AND e.kind <> 'split'
            UNION
            SELECT e.low_id FROM customers_edge e WHERE e.high_id = o.profile_id AND e.kind <> 'split'
        ) others ON true
        LEFT JOIN (
            SELECT n.id, n.profile_id FROM customers_identifier n
            JOIN customers_identifierkind s ON s.key = n.kind_id AND s.most_per_customer = 1
        ) n ON n.profile_id = others.id
        WHERE o.profile_id = ANY(%b) AND NOT o.exempt
        GROUP BY o.profile_id, k.most_people
    ) seen
    WHERE i.profile_id = seen.profile_id AND (i.shared_at IS NOT NULL) <> seen.too_many
    RETURNING i.profile_id
"""
_TOLD = """
    SELECT DISTINCT p.customer_id FROM customers_profile p JOIN customers_trait t ON t.profile_id = p.id
    WHERE p.id = ANY(%b) AND t.name = ANY(%b)
"""


def ask_for_regrouping(now: datetime, by: Any = None) -> Job:
    return jobs.ask(REGROUP, now, by=by, once=True)


def ask_for_traits(names: Collection[str], by: Any = None) -> Job:
    return jobs.ask(TRAITS, clock.utcnow(), by=by, once=True, arguments={"names": sorted(names)})


def regroup_everybody(turn: Slice) -> bool:
    """A slice of the job: profiles in the order of their ids, some at a time."""
    return _walk(turn, _regroup)


def choose_traits(turn: Slice) -> bool:
    return _walk(turn, _choose)


def _walk(turn: Slice, work: Any) -> bool:
    if turn.job.total is None:
        turn.note(total=Profile.objects.count())
    while turn.has_time:
        with transaction.atomic():
            after = turn.job.cursor.get("after")
            rows = Profile.objects.filter(pk__gt=UUID(after)) if after else Profile.objects.all()
            piece = list(rows.order_by("pk").values_list("pk", flat=True)[:_PIECE])
            if not piece:
                return True
            work(turn, piece)
            turn.note(done=turn.job.done + len(piece), after=str(piece[-1]))
    return False


def _regroup(turn: Slice, piece: list[UUID]) -> None:
    with raw_cursor() as cursor:
        opened = [row[0] for row in cursor.execute(_SHARED, [turn.now, piece]).fetchall()]
        moves = follow(cursor, closure(cursor, kinds.current(turn.now), piece, {}, opened), turn.now)
    report = turn.job.report
    report["moved"] = report.get("moved", 0) + len(moves)
    report["shared"] = Identifier.objects.filter(shared_at__isnull=False).count()


def _choose(turn: Slice, piece: list[UUID]) -> None:
    with raw_cursor() as cursor:
        rows = cursor.execute(_TOLD, [piece, turn.job.arguments["names"]]).fetchall()
        waited_for = awaited.under_lock()
        watched = bool(waited_for.watchers(SegmentInput.Kind.TRAIT))
        changed = refresh(cursor, {row[0] for row in rows}, compare=watched)
        traits_changed(cursor, waited_for, {customer: change.names for customer, change in changed.items()}, turn.now)


def register() -> None:
    jobs.register(REGROUP, _("Group everybody anew"), regroup_everybody)
    jobs.register(TRAITS, _("Choose the values of traits anew"), choose_traits)
