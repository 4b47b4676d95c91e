"""What whoever asks for a simulation supposes of other systems: a share of calls that fails, a reply to the others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson
from django.utils.translation import gettext as _
from msgspec import UNSET, Struct, UnsetType

from journeys.retry import is_error
from journeys.simulation.replies import NOTHING_SAID, Replies, Told, by_share
from journeys.version import Version

MOST: Final = 50
_LONGEST: Final = 4_000


class Supposed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """At a step that asks another system: of so many percent of runs all attempts end in this error, all others get
    this reply. Without one they are taken to be answered, and told nothing."""

    step: str
    error: str | None = None
    percent: float = 100.0
    json: Any | UnsetType = UNSET


class NotSupposable(ValueError):
    """It cannot be supposed; says of which, in which field and why, by a code of refusals."""

    def __init__(self, number: int, field: str, code: str, why: str) -> None:
        super().__init__(why)
        self.number, self.field, self.code, self.why = number, field, code, why


def check(supposed: Sequence[Supposed], versions: Iterable[Version]) -> None:
    """Raises NotSupposable; each is to mean something in one of the versions."""
    calling = {step.id for version in versions for step in version.steps if step.calls}
    steps = [one.step for one in supposed]
    for n, one in enumerate(supposed):
        said = {"step": one.step[:60]}
        if one.step not in calling:
            raise NotSupposable(n, "step", "unknown_value", _("No step “%(step)s” asks another system.") % said)
        if one.step in steps[:n]:
            why = _("Something is supposed of “%(step)s” already.") % said
            raise NotSupposable(n, "step", "duplicate_step", why)
        if one.error is None and one.json is UNSET:
            raise NotSupposable(n, "error", "missing_field", _("Of “%(step)s” nothing is supposed.") % said)
        if one.error is not None and not is_error(one.error):
            raise NotSupposable(n, "error", "unknown_value", _("No call at “%(step)s” ends in this error.") % said)
        if one.error is None and one.percent != 100:
            raise NotSupposable(n, "error", "missing_field", _("It is not said what fails at “%(step)s”.") % said)
        if not 0 < one.percent <= 100:
            why = _("The share that fails at “%(step)s” is more than 0 and at most 100 percent.") % said
            raise NotSupposable(n, "percent", "out_of_range", why)
        if one.json is not UNSET and len(orjson.dumps(one.json)) > _LONGEST:
            raise NotSupposable(n, "json", "too_long", _("The reply at “%(step)s” is too long.") % said)


def replies_of(kept: Sequence[Mapping[str, Any]]) -> Replies:
    """What other systems say by all that is supposed; which runs fail is drawn the same each time."""
    if not kept:
        return NOTHING_SAID
    supposed = msgspec.convert(list(kept), list[Supposed])
    fails = by_share({one.step: (one.error, one.percent) for one in supposed if one.error is not None})
    answers = {one.step: (Told(json=one.json),) for one in supposed if one.json is not UNSET}
    return lambda run, step: fails(run, step) or answers.get(step, ())
