"""How long a session of the staff lasts: until it is left alone for too long, and never longer than a day's work."""

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    Kept = MutableMapping[str, Any]

_BEGAN, _SEEN, _VERIFIED = "began", "seen", "two_factor"
# A session is written once in so long, not with every page.
_NOTED_EVERY: Final = timedelta(minutes=1)


def start(session: "Kept", now: datetime) -> None:
    session[_BEGAN] = session[_SEEN] = int(now.timestamp())


def mark_verified(session: "Kept") -> None:
    """Both steps were taken in this session."""
    session[_VERIFIED] = True


def holds(session: "Kept", now: datetime) -> bool:
    """Whether a logged-in session may go on; one that does not know its beginning may not."""
    began, seen = _time(session, _BEGAN), _time(session, _SEEN)
    if began is None or seen is None:
        return False
    if settings.TRILHA_REQUIRE_2FA and not session.get(_VERIFIED):
        return False
    idle, whole = timedelta(minutes=settings.SESSION_IDLE_MINUTES), timedelta(hours=settings.SESSION_HOURS)
    return now - seen < idle and now - began < whole


def touch(session: "Kept", now: datetime) -> None:
    seen = _time(session, _SEEN)
    if seen is None or now - seen >= _NOTED_EVERY:
        session[_SEEN] = int(now.timestamp())


def end_all(user: "AbstractBaseUser", now: datetime) -> int:
    """Log a person out everywhere."""
    sessions = Session.objects.filter(expire_date__gt=now).iterator()
    own = [session.pk for session in sessions if session.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=own).delete()
    return len(own)


def _time(session: "Kept", name: str) -> datetime | None:
    noted = session.get(name)
    return datetime.fromtimestamp(noted, UTC) if isinstance(noted, int) else None
