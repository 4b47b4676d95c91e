"""What Django tells of log-in and log-out, by whatever door: sessions begin, and leaving is written down."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out

from customers import audit, clock
from customers.log_in import sessions


def connect() -> None:
    user_logged_in.connect(_entered, dispatch_uid="trilha-session")
    user_logged_out.connect(_left, dispatch_uid="trilha-audit")


def _entered(request: Any, **_told: Any) -> None:
    sessions.start(request.session, clock.utcnow())


def _left(user: Any, **_told: Any) -> None:
    if user is not None and user.pk is not None:
        audit.record(user, "log_out", user, None, None, now=clock.utcnow())
