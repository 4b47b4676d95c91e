"""Of which version a move is: a run may have been moved from one to another, and steps are numbered by version."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from psycopg import Cursor

from journeys.compiling import version
from journeys.models import Transition
from journeys.version import Version

# What is kept as the branch of a move between versions: a sum of these.
WAIT_ANEW: Final = 1
KEEPS_MESSAGES: Final = 2

_NEWEST_FIRST: Final = """
    SELECT r.version_id, t.at, t.step_to, t.branch, t.version_from
    FROM journeys_run r JOIN journeys_transition t ON t.run_id = r.id WHERE r.id = %s ORDER BY t.seq DESC
"""


class Placed(NamedTuple):
    """A move with the version whose step it left, and the one by which it came to the next."""

    move: Transition
    left: Version
    came: Version


def placed(moves: "QuerySet[Transition]") -> Iterator[Placed]:
    """These moves, each with its versions, which the same statement reads."""
    told: Any = moves.annotate(came_by=_first_after("seq__gt"), left_by=_first_after("seq__gte"))
    for move in told:
        yield Placed(move, version(move.left_by), version(move.came_by))


def _first_after(which: str) -> Coalesce:
    """Of the moves between versions from there on, what the first one left; without any, what the run is of."""
    later = Transition.objects.filter(run_id=OuterRef("run_id"), version_from__isnull=False)
    first = later.filter(**{which: OuterRef("seq")}).order_by("seq").values("version_from")[:1]
    return Coalesce(Subquery(first), F("run__version_id"), output_field=IntegerField())


def began_waiting(cursor: Cursor[Any], run_id: int, step_id: str) -> datetime | None:
    """When the run last came to this step. Moved there with its wait going on, it came when it came to the step that
    it was moved from."""
    of: Version | None = None
    is_there = False
    for version_id, at, step_to, branch, version_from in cursor.execute(_NEWEST_FIRST, [run_id]).fetchall():
        of = of or version(version_id)
        is_there = is_there or (step_to is not None and of.steps[step_to].id == step_id)
        if is_there and (version_from is None or (branch or 0) & WAIT_ANEW):
            found: datetime = at
            return found
        if version_from is not None:
            of = version(version_from)
    return None
