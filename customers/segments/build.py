"""The job that builds a segment: everybody is asked, a range of keys at a time, and nothing is started by it."""

import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_lazy as _

from customers import awaited, bells, jobs
from customers.jobs import Slice
from customers.models import Customer, Job, Segment
from customers.rules import PEOPLE, parse
from customers.segments.count import count
from customers.segments.follow import gather_strays
from customers.segments.standing import Range, build

KIND: Final = "segment"
# As many people as a statement asks at once: the events of all of them are read through once for it.
PIECE: Final = 1_000_000
# Sorting and hashing a million people in the memory that is meant for a page would go by way of the disk.
_MEMORY: Final = "SET LOCAL work_mem = '256MB'"
_PAUSE: Final = 0.02
# The last of a full piece and who comes next; where nobody does, the piece is the last.
_UPTO: Final = "SELECT id FROM customers_customer WHERE {after} ORDER BY id OFFSET %s LIMIT 2"
_DEPENDENT: Final = """
    INSERT INTO customers_segment_queue (segment_id, profile_id, hops, historical, queued_at)
    SELECT DISTINCT i.segment_id, m.customer_id, 0, true, m.changed_at
    FROM customers_segmentinput i JOIN (
        SELECT customer_id, coalesce(left_at, entered_at) AS changed_at FROM customers_segmentmembership
        WHERE segment_id = %s AND (entered_at = %s OR left_at = %s) AND {within}
    ) m ON true
    WHERE i.kind = 'segment' AND i.name = %s
"""


def ask(segment: Segment, now: datetime, by: Any = None) -> Job:
    """In the transaction of the caller, who has locked the segment; a build that was asked for earlier ends by it."""
    segment.builds += 1
    segment.state = Segment.State.BUILDING
    segment.save(update_fields=["builds", "state"])
    return jobs.ask(
        KIND,
        now,
        by=by,
        brand_id=segment.brand_id,
        squad_id=segment.squad_id,
        subject=segment.name,
        arguments={"segment": str(segment.pk), "build": segment.builds},
    )


def work(turn: Slice) -> bool:
    segment = Segment.objects.get(pk=turn.job.arguments["segment"])
    if turn.job.total is None:
        if not _others_have_ended(turn, segment):
            return False
        if not _begin(turn, segment):
            return True
    while turn.has_time:
        if _piece(turn, segment):
            return True
    return False


def _others_have_ended(turn: Slice, segment: Segment) -> bool:
    """Wait for whoever has written consent or runs and not seen that this segment looks at them."""
    if segment.rule is None or not parse(segment.rule, PEOPLE).root.watched:
        return True
    if "since" not in turn.job.cursor:
        turn.note(since=awaited.mark())
    while not awaited.have_ended(turn.job.cursor["since"]):
        if not turn.has_time:
            return False
        time.sleep(_PAUSE)
    return True


def _begin(turn: Slice, segment: Segment) -> bool:
    # From here on every resolve knows what this segment looks at: what a piece does not see, the queue has.
    awaited.settle()
    with transaction.atomic(), connection.cursor() as cursor:
        if _is_superseded(turn, segment):
            return False
        cursor.execute("DELETE FROM customers_segment_turn WHERE segment_id = %s", [segment.pk])
        turn.note(total=Customer.objects.count())
    return True


def _is_superseded(turn: Slice, segment: Segment) -> bool:
    """Whether another build was asked for meanwhile, or the segment archived; until the transaction ends none is."""
    now = Segment.objects.select_for_update(no_key=True).filter(pk=segment.pk)
    state, builds = now.values_list("state", "builds").get()
    return state != Segment.State.BUILDING or builds != turn.job.arguments["build"]


def _piece(turn: Slice, segment: Segment) -> bool:
    """The next range of people; whether it was the last."""
    after = UUID(turn.job.cursor["after"]) if "after" in turn.job.cursor else None
    with transaction.atomic(), connection.cursor() as cursor:
        within = _next(cursor, after)
        _settle(turn, cursor, segment, within)
        # Whoever changes the rule meanwhile waits for the piece, or it is thrown away.
        if _is_superseded(turn, segment):
            transaction.set_rollback(True)
            return True
        if within.upto is not None:
            return False
        gather_strays(cursor, segment.pk)
        count(segment, turn.now)
        Segment.objects.filter(pk=segment.pk).update(state=Segment.State.LIVE, built_at=turn.now)
    bells.ring("engine")
    return True


def _next(cursor: CursorWrapper, after: UUID | None) -> Range:
    condition, values = Range(after, None).of("id")
    cursor.execute(_UPTO.format(after=condition), [*values, PIECE - 1])
    edge = cursor.fetchall()
    return Range(after, edge[0][0] if len(edge) > 1 else None)


def _settle(turn: Slice, cursor: CursorWrapper, segment: Segment, within: Range) -> None:
    cursor.execute(_MEMORY)
    came, left = build(cursor, segment, within, turn.now)
    condition, values = within.of("customer_id")
    dependent = _DEPENDENT.format(within=condition)
    cursor.execute(dependent, [segment.pk, turn.now, turn.now, *values, str(segment.pk)])
    report = turn.job.report
    report["came"], report["left"] = report.get("came", 0) + came, report.get("left", 0) + left
    if within.upto is None:
        turn.note(done=turn.job.total)
    else:
        turn.note(done=turn.job.done + PIECE, after=str(within.upto))


def given_up(job: Job) -> None:
    """Who is in it is settled for some people only, so nobody is looked at again until it is built anew."""
    ours = Segment.objects.filter(pk=job.arguments["segment"], builds=job.arguments["build"])
    ours.filter(state=Segment.State.BUILDING).update(state=Segment.State.STOPPED)


def register() -> None:
    jobs.register(KIND, _("Build a segment"), work, given_up=given_up)
