"""Every request of a logged-in person: is the session still good?"""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from customers import clock
from customers.log_in import sessions

Answer = Callable[[HttpRequest], HttpResponse]


class StaffSessions:
    """Ends sessions that have run out; the page asked for then does with a stranger what it always does."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Doors for machines carry no cookie and must not pay for a session.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            now = clock.utcnow()
            if sessions.holds(request.session, now):
                sessions.touch(request.session, now)
            else:
                logout(request)
        return self.get_response(request)
