"""A look before a call: what would become of everybody who would be called, by reason. A job, as there may be many;
it runs no entry and keeps nothing but numbers, and of a list whom each line names."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg import Cursor

from customers import jobs
from customers.jobs import Slice
from customers.models import Job, Segment
from customers.pg import raw_cursor
from journeys.drafts import NotPossible
from journeys.engine.foretell import Wanted, foretell, open_version
from journeys.entry.called import people_of
from journeys.entry.lists import CHECK, note_found, rows_of
from journeys.entry.named_people import Person, find
from journeys.models import CallList, CallListRow, Journey
from journeys.version import key_of

PREVIEW: Final = "preview_call"
PIECE: Final = 1000
LET_IN: Final = "let_in"
_SHOWN: Final = 3
_HOMES: Final = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"
_EARLIER: Final = """
    SELECT p.customer_id, r.data FROM journeys_calllistrow r JOIN customers_profile p ON p.id = r.profile_id
    WHERE r.parent_id = %b AND r.line <= %b AND r.problem = '' AND p.customer_id = ANY(%b)
"""
_FOUND: Final = """
    UPDATE journeys_calllistrow r SET profile_id = u.profile_id, problem = u.problem
    FROM unnest(%b::bigint[], %b::uuid[], %b::text[]) AS u(id, profile_id, problem) WHERE r.id = u.id
"""


def preview(journey: Journey, key: str, now: datetime, *, by: AbstractBaseUser | None) -> Job:
    """Have it told what would become of those in the segment of this key; raises NotPossible."""
    if journey.status != Journey.Status.LIVE:
        raise NotPossible(_("The journey is not live."))
    there = Segment.objects.filter(brand_id=journey.brand_id, key=key, state=Segment.State.LIVE)
    if (segment := there.first()) is None:
        raise NotPossible(_("There is no such segment, or nobody knows yet who is in it."))
    return jobs.ask(
        PREVIEW,
        now,
        by=by,
        brand_id=journey.brand_id,
        squad_id=journey.squad_id,
        subject=f"{journey.name} · {segment.name}"[:200],
        arguments={"journey": str(journey.pk), "segment": str(segment.pk), "at": now.isoformat()},
    )


def previews_of(journey: Journey) -> list[Job]:
    """The newest first."""
    asked = Job.objects.filter(kind=PREVIEW, arguments__journey=str(journey.pk))
    return list(asked.order_by("-created_at", "-pk")[:_SHOWN])


def work_on_segment(turn: Slice) -> bool:
    people, journey_id = people_of(turn.job), UUID(turn.job.arguments["journey"])
    while turn.has_time:
        with transaction.atomic(), raw_cursor() as cursor:
            opened = open_version(journey_id)
            if opened is None:
                return _ended(turn)
            if turn.job.total is None:
                turn.note(total=people.count(cursor))
            some = people.next(cursor, turn.job.cursor.get("after"), PIECE)
            if not some:
                return True
            homes = dict(cursor.execute(_HOMES, [[one.profile_id for one in some]]).fetchall())
            wanted = [Wanted(one.profile_id, homes[one.profile_id]) for one in some]
            reasons = Counter(reason or LET_IN for reason in foretell(cursor, *opened, wanted, turn.now))
            turn.job.report = dict(Counter(turn.job.report) + reasons)
            turn.note(done=turn.job.done + len(some), after=some[-1].mark)
    return False


def work_on_list(turn: Slice) -> bool:
    while turn.has_time:
        with transaction.atomic(), raw_cursor() as cursor:
            # With the user anew, whose rights may be others by now.
            chosen = CallList.objects.select_related("journey", "created_by").get(pk=turn.job.arguments["list"])
            opened = open_version(chosen.journey_id)
            if opened is None or chosen.created_by is None:
                return _ended(turn)
            after = turn.job.cursor.get("after", 0)
            rows = rows_of(chosen, after, PIECE)
            if not rows:
                return True
            people = _resolve(cursor, chosen, rows, after, opened[0].definition.entry.key, turn.now)
            wanted = [Wanted(one.profile_id, one.customer_id, row.data) for row, one in people]
            reasons = Counter(reason or LET_IN for reason in foretell(cursor, *opened, wanted, turn.now))
            problems = Counter(row.problem or "known" for row in rows)
            note_found(chosen, problems, reasons)
            turn.note(done=turn.job.done + len(rows), after=rows[-1].line)
    return False


def _ended(turn: Slice) -> bool:
    """Nobody could come in any more, or nobody may see the list."""
    turn.job.report["stopped"] = "nobody_to_call"
    return True


def _resolve(
    cursor: Cursor[Any], chosen: CallList, rows: Sequence[CallListRow], after: int, key: str | None, now: datetime
) -> list[tuple[CallListRow, Person]]:
    """Find out whom each row names, keep it, and return those who are somebody, nobody twice."""
    assert chosen.created_by is not None
    values = {row.value for row in rows if not row.problem}
    found = find(chosen.journey.brand_id, chosen.kind, values, chosen.created_by, now)
    known = {row.pk: one for row in rows if not row.problem and isinstance(one := found[row.value], Person)}
    customers = list({one.customer_id for one in known.values()})
    seen = {
        (customer, key_of(data, key) if key else "")
        for customer, data in cursor.execute(_EARLIER, [chosen.pk, after, customers]).fetchall()
    }
    people = []
    for row in rows:
        if row.problem:
            continue
        one = found[row.value]
        if isinstance(one, str):
            row.problem = one
            continue
        row.profile_id = one.profile_id
        place = (one.customer_id, key_of(row.data, key) if key else "")
        if place in seen:
            row.problem = CallListRow.Problem.TWICE
        else:
            seen.add(place)
            people.append((row, one))
    columns = [[row.pk for row in rows], [row.profile_id for row in rows], [str(row.problem) for row in rows]]
    cursor.execute(_FOUND, columns)
    return people


def register() -> None:
    jobs.register(PREVIEW, gettext_lazy("Look what a call would come to"), work_on_segment, counts_members=True)
    jobs.register(CHECK, gettext_lazy("Look at a list of people to call"), work_on_list, counts_members=True)
