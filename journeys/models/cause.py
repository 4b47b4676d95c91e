"""Why a run moved, and what kinds of moves there are."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cause(models.IntegerChoices):
    """Why a run moved."""

    ENTERED = 1, _("entered")
    CONTINUED = 2, _("continued")
    EVENT = 3, _("awaited event")
    TIMER = 4, _("time came")
    TIMED_OUT = 5, _("timed out")
    BRANCH = 6, _("rule")
    OTHERWISE = 7, _("no rule held")
    EXIT = 8, _("exit")
    ENDED = 9, _("reached an end")
    MERGED = 10, _("merged into an elder run")
    FAILED = 11, _("failed")
    UNMERGED = 12, _("came back, as the merge was undone")
    SUPERSEDED = 13, _("did not come back: another of its key had begun")
    ERASED = 14, _("the person was erased")
    RESTRICTED = 15, _("the person had processing restricted")
    PAST = 16, _("the date was past or missing")
    ARM = 17, _("drawn by lot")
    RESET = 18, _("waits anew")
    BEST = 19, _("best of what came")
    TAKEN_UP = 25, _("taken up again, after it had been given up")
    STOPPED = 30, _("the journey was stopped")
    MOVED = 40, _("moved to another version")
    VERSION_EXIT = 41, _("taken out as a new version was published")
    GOAL = 50, _("reached a goal")
    EXPIRED = 51, _("had been in the journey for as long as it lets anybody")
    UPDATED = 52, _("something was said of the customer")
    HANDED_OVER = 53, _("went to another journey as well")
    TURNED_AWAY = 54, _("the other journey did not take them")
    REPLIED = 55, _("the other system replied")
    CAUGHT = 56, _("the other system could not be asked")
    CALL_FAILED = 57, _("the other system could not be asked, which nothing caught")

    GRANTED = 58, _("something was granted")
    ALREADY_HELD = 59, _("it was held already")
    LIMIT_REACHED = 60, _("it had been granted as often as it may be")
    REVOKED = 61, _("what had been granted was taken back")
    NOTHING_HELD = 62, _("nothing was there to be taken back")


# By an exit of the journey or its time-out, wherever a run rests.
EXITS = (Cause.EXIT, Cause.GOAL, Cause.EXPIRED)
# By which a run leaves a step without having done what the step is for.
BROKEN_OFF = frozenset(
    {
        *EXITS,
        Cause.MERGED,
        Cause.FAILED,
        Cause.CALL_FAILED,
        Cause.ERASED,
        Cause.RESTRICTED,
        Cause.STOPPED,
        Cause.VERSION_EXIT,
    }
)
