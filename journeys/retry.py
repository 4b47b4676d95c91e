"""What a step does about errors, in the terms of the Amazon States Language: try again on a schedule, or go elsewhere.

An error has a name. Of the retriers the first that names it counts, each by itself; where it is spent or there is none,
the first catcher that names the error says where to go. Pure: the same for a live run, a case and a simulation.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from customers.rules.errors import Problem

ALL: Final = "all"
# By name, what it means; beside them `status_404` and its like, and `status_4xx` for all of a kind.
ERRORS: Final = {
    "timeout": _("no reply within the time of an attempt"),
    "unreachable": _("no connection could be made"),
    "untrusted": _("the other side could not show who it is"),
    "refused_address": _("the address is none that may be called"),
    "interrupted": _("the connection ended before the reply did"),
    "bad_reply": _("the reply is not what was agreed"),
    "too_large": _("the reply is larger than 256 KB"),
    "bad_request": _("no request can be made of what is known"),
    "crashed": _("whoever made the call died over it, five times"),
    "expired": _("the time of the whole step was over"),
    "not_permitted": _("the person no longer permits what the journey is for"),
}
# Of these none is tried again: the step is over, or nobody may be told.
FINAL: Final = frozenset({"expired", "crashed", "not_permitted"})
_STATUS: Final = re.compile(r"status_([345])(xx|\d\d)")
_MOST_LISTED: Final = 9
_MOST_ATTEMPTS: Final = 100
_LONGEST: Final = timedelta(days=30)
_NAMES: Final = form(
    _("errors"), _("As in timeout, status_429, status_5xx; all alone stands for every error."), kind="names"
)


class Retrier(Struct, kw_only=True, forbid_unknown_fields=True):
    """`max_attempts` counts the attempts after the first; 0 is never again."""

    errors: Annotated[list[str], _NAMES]
    interval: Annotated[timedelta, form(_("first after"))] = timedelta(seconds=1)
    max_attempts: Annotated[int, form(_("at most so often"), _("Beside the first attempt; 0 is never."))] = 3
    backoff_rate: Annotated[float, form(_("each time longer by"), _("2 is twice as long as before."))] = 2.0
    max_delay: Annotated[timedelta | None, form(_("but never longer than"))] = None
    jitter: Annotated[
        Literal["none", "full"],
        form(
            _("spread"),
            choices={"none": _("none: exactly then"), "full": _("full: any time until then")},
        ),
    ] = "none"


class Catcher(Struct, kw_only=True, forbid_unknown_fields=True):
    errors: Annotated[list[str], _NAMES]
    next: Annotated[str, form(_("then go to"), refers="step")]


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that failed; `retry_after` is for how long the other side asked to be left alone. Of attempts one
    after another that were none it is the last, and `times` is how many they were."""

    error: str
    retry_after: timedelta | None = None
    times: int = 1

    @property
    def is_no_try(self) -> bool:
        """The other side was busy and said until when: that counts against nobody."""
        return self.error == "status_429" and self.retry_after is not None


def and_then(tried: Sequence[Tried], last: Tried) -> list[Tried]:
    """These attempts and the one that followed: never more than the retriers allow, however often the other side is
    busy."""
    if last.is_no_try and tried and tried[-1].is_no_try:
        return [*tried[:-1], replace(last, times=tried[-1].times + last.times)]
    return [*tried, last]


def is_error(name: str) -> bool:
    return name in ERRORS or bool(re.fullmatch(r"status_[345]\d\d", name))


def covers(errors: Iterable[str], error: str) -> bool:
    """Whether one of the names means this error."""
    kind = f"{error[:8]}xx" if _STATUS.fullmatch(error) else error
    return any(name in (ALL, error, kind) for name in errors)


def catcher_of(catchers: Sequence[Catcher], error: str) -> int | None:
    """The number of the first catcher for this error."""
    return next((n for n, one in enumerate(catchers) if covers(one.errors, error)), None)


def next_delay(retriers: Sequence[Retrier], tried: Sequence[Tried], fraction: float) -> timedelta | None:
    """How long after the last of these failed attempts the next one is made; None: there is none.

    `fraction`, from 0 to below 1, is where a spread delay falls.
    """
    last = tried[-1]
    found = _retrier_of(retriers, last.error)
    if found is None or last.error in FINAL:
        return None
    retrier = retriers[found]
    before = sum(not one.is_no_try for one in tried[:-1] if _retrier_of(retriers, one.error) == found)
    if retrier.max_attempts == 0 or (before >= retrier.max_attempts and not last.is_no_try):
        return None
    most = retrier.max_delay or _LONGEST
    delay = _delay(retrier, min(before, retrier.max_attempts - 1), most)
    if retrier.jitter == "full":
        delay *= fraction
    return max(delay, min(last.retry_after or timedelta(), most))


def _retrier_of(retriers: Sequence[Retrier], error: str) -> int | None:
    return next((n for n, one in enumerate(retriers) if covers(one.errors, error)), None)


def _delay(retrier: Retrier, before: int, most: timedelta) -> timedelta:
    # Past a hundred doublings a float is no span of time any more.
    seconds = min(retrier.interval.total_seconds() * retrier.backoff_rate**before, most.total_seconds())
    return timedelta(seconds=seconds)


def problems_of(retriers: Sequence[Retrier], catchers: Sequence[Catcher]) -> Iterator[Problem]:
    """Pointers begin at the step that has them as `retry` and `catch`."""
    for name, listed in (("retry", [one.errors for one in retriers]), ("catch", [one.errors for one in catchers])):
        if len(listed) > _MOST_LISTED:
            yield Problem("error_count", f"/{name}", _("At most 9 of these can be listed."))
        for n, errors in enumerate(listed):
            before = [error for earlier in listed[:n] for error in earlier]
            yield from _errors(f"/{name}/{n}/errors", errors, before, is_last=n == len(listed) - 1)
    for n, retrier in enumerate(retriers):
        yield from _schedule(f"/retry/{n}", retrier)


def _errors(at: str, errors: Sequence[str], before: Sequence[str], *, is_last: bool) -> Iterator[Problem]:
    if not errors:
        yield Problem("no_error", at, _("It is not said which errors this is for."), _("Name them, or write all."))
    for n, name in enumerate(errors):
        if name != ALL and name not in ERRORS and not _STATUS.fullmatch(name):
            known = _("Use one of: %(names)s, status_404 and its like, status_4xx, all.") % {"names": ", ".join(ERRORS)}
            message = _("There is no error “%(name)s”.") % {"name": name}
            yield Problem("unknown_error", f"{at}/{n}", message, known)
        if name in before or name in errors[:n]:
            message = _("“%(name)s” is already used.") % {"name": name}
            yield Problem("duplicate_error", f"{at}/{n}", message, _("The first that names it counts: name it once."))
    if ALL in errors and (len(errors) > 1 or not is_last):
        hint = _("Put it by itself, behind all others.")
        yield Problem("all_errors", at, _("“all” stands alone, and last."), hint)


def _schedule(at: str, one: Retrier) -> Iterator[Problem]:
    if not timedelta(0) < one.interval <= _LONGEST:
        yield Problem("duration", f"{at}/interval", _("A pause is longer than nothing and at most 30 days."))
    if not 0 <= one.max_attempts <= _MOST_ATTEMPTS:
        yield Problem("attempt_count", f"{at}/max_attempts", _("It is tried again at most 100 times."))
    if not 1 <= one.backoff_rate <= 10:
        yield Problem(
            "backoff_rate", f"{at}/backoff_rate", _("A pause becomes 1 to 10 times as long as the one before.")
        )
    if one.max_delay is not None and not one.interval < one.max_delay <= _LONGEST:
        message = _("The longest pause is longer than the first, and at most 30 days.")
        yield Problem("duration", f"{at}/max_delay", message)
