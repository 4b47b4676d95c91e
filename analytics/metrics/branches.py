"""Branch distribution: how the runs that came to a step went on from there."""

from collections.abc import Iterable, Iterator, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.metrics.equation import Equation, Part
from analytics.metrics.ways import Parting
from journeys.models import BROKEN_OFF, Cause

LABEL = gettext_lazy("Branch distribution")
DEFINITION = gettext_lazy(
    "Arrivals at the step, from the runs' history; the parts are the ways they left it by, and the runs that are "
    "there now. Arrivals and departures are counted from different moves, so a run that vanished breaks the sum."
)

_BRANCHES = (Cause.EVENT, Cause.BEST, Cause.BRANCH, Cause.ARM)
# (step, branch) to what the branch waits for or asks.
Names = Mapping[tuple[str, int], str]


def branch_distribution(partings: Iterable[Parting], names: Names) -> tuple[Equation, ...]:
    """One sum for each step where ways part."""
    return tuple(
        Equation(parting.step, parting.step, DEFINITION, parting.came, tuple(_parts(parting, names)))
        for parting in partings
    )


def _parts(parting: Parting, names: Names) -> Iterator[Part]:
    for branch in sorted({branch for cause, branch in parting.left if cause in _BRANCHES and branch is not None}):
        count = sum(n for (cause, taken), n in parting.left.items() if cause in _BRANCHES and taken == branch)
        number = _("branch %(number)s") % {"number": branch + 1}
        name = names.get((parting.step, branch))
        yield Part(f"branch_{branch + 1}", f"{number}: {name}" if name else number, count)
    if parting.type == "hold":
        yield Part("timed_out", _("timed out"), parting.gone(Cause.TIMED_OUT))
        anew = parting.gone(Cause.RESET)
        if anew:
            yield Part("reset", _("waited anew"), anew)
    elif parting.type == "split":
        yield Part("otherwise", _("no rule held"), parting.gone(Cause.OTHERWISE))
    moved = parting.gone(Cause.MOVED)
    if moved:
        yield Part("moved", _("moved to another version"), moved)
    yield Part("broken_off", _("ended there by an exit, merge or failure"), parting.gone(*BROKEN_OFF))
    yield Part("standing", _("there now"), parting.standing)
