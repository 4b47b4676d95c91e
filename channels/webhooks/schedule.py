"""What comes of an attempt: delivered, tried again and when, or given up. Pure: no clock, no database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from django.conf import settings

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.web import CallError, Reply

State = WebhookDelivery.State
Off = WebhookEndpoint.Off

GONE: Final = 410
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
# By so much of itself a pause is longer at most, and never shorter: all of them together reach over three days.
JITTER: Final = 0.1
# A delivery that failed so often is announced to the owner.
ANNOUNCED_AT: Final = 4
MOST_CRASHES: Final = 5
# For so long an endpoint is left alone that says it has too much, and not for how long.
_REST: Final = timedelta(seconds=60)
_LONGEST_REST: Final = timedelta(hours=24)
_EXCERPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Tried:
    """A delivery as an attempt finds it: how many tries have counted, since when it was queued, and how often it was
    called before."""

    tries: int
    queued_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a delivery. With `due_at` it is tried again; `rests_until` is for how long its endpoint is left
    alone because it asked for it."""

    state: State
    reason: str = ""
    status: int | None = None
    due_at: datetime | None = None
    rests_until: datetime | None = None
    tries: int = 0
    is_gone: bool = False
    reply: str = ""

    @property
    def succeeded(self) -> bool:
        return self.state is State.DELIVERED


def waits() -> tuple[timedelta, ...]:
    """The pauses between tries; the first try is made at once."""
    return tuple(timedelta(seconds=one) for one in settings.WEBHOOK_WAITS)


def judge(tried: Tried, answer: Reply | CallError, secrets: tuple[str, ...], now: datetime, fraction: float) -> Outcome:
    """`fraction`, from 0 to below 1, is where the pause falls that is drawn so that not all come back at once."""
    if isinstance(answer, CallError):
        return _again(tried, answer.name, None, "", now, fraction)
    words = _excerpt(answer, secrets)
    if 200 <= answer.status < 300:
        return Outcome(State.DELIVERED, "", answer.status, tries=tried.tries + 1, reply=words)
    if answer.status == GONE:
        return Outcome(State.FAILED, "gone", GONE, tries=tried.tries + 1, is_gone=True, reply=words)
    if (rest := asked(answer, now)) is not None and now - tried.queued_at < patience():
        return _put_off(tried, answer.status, rest, words, now, fraction)
    reason = "redirect_not_followed" if 300 <= answer.status < 400 else f"status_{answer.status}"
    return _again(tried, reason, answer.status, words, now, fraction)


def _put_off(tried: Tried, status: int, rest: timedelta, words: str, now: datetime, fraction: float) -> Outcome:
    """No try, if it is long enough; who asks to be called again at once has the attempt counted, and is still left
    alone for a while."""
    reason, least = f"status_{status}", least_rest(tried.attempts)
    if rest < least:
        return replace(_again(tried, reason, status, words, now, fraction), rests_until=now + least)
    return Outcome(State.WAITING, reason, status, now + rest, now + rest, tried.tries, reply=words)


def unreadable(tried: Tried, now: datetime, fraction: float) -> Outcome:
    """Nothing could be made of the event. What reads it may be mended before the last try."""
    return _again(tried, "unreadable", None, "", now, fraction)


def least_rest(attempts: int) -> timedelta:
    """The shortest rest that is one, by how often the delivery was called before."""
    return min(waits()[0] * (attempts + 1), _REST)


def _again(tried: Tried, reason: str, status: int | None, reply: str, now: datetime, fraction: float) -> Outcome:
    pauses, made = waits(), tried.tries + 1
    if made > len(pauses):
        return Outcome(State.FAILED, reason, status, tries=made, reply=reply)
    due_at = now + pauses[made - 1] * (1 + JITTER * fraction)
    return Outcome(State.WAITING, reason, status, due_at, tries=made, reply=reply)


def patience() -> timedelta:
    """For so long an endpoint may put us off by asking to be left alone; then its answers count as any other."""
    return sum(waits(), timedelta()) * (1 + JITTER)


def asked(answer: Reply, now: datetime) -> timedelta | None:
    """For how long the other side asks to be left alone, if it does: in seconds, or as a date."""
    if answer.status not in (TOO_MANY, UNAVAILABLE):
        return None
    told = answer.headers.get("retry-after", "").strip()
    unsaid = _REST if answer.status == TOO_MANY else None
    if told.isascii() and told.isdecimal():
        return min(timedelta(seconds=int(told[:7])), _LONGEST_REST)
    try:
        until = parsedate_to_datetime(told)
        return min(max(until - now, timedelta()), _LONGEST_REST) if until.tzinfo else unsaid
    except (ValueError, TypeError, OverflowError):
        return unsaid


def _excerpt(answer: Reply, secrets: tuple[str, ...]) -> str:
    """The beginning of a reply as staff may read it: without what we sign with."""
    words = answer.body[: 4 * _EXCERPT].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    for secret in secrets:
        words = words.replace(secret, "•••").replace(secret.removeprefix("whsec_"), "•••")
    return words[:_EXCERPT]
