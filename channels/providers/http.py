"""Providers that are spoken to by HTTP: one line kept for a batch, one request a message, and what a reply means."""

import email.utils
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext

from channels.providers.base import Accepted, Blame, DeliveryError, Outgoing, Provider
from channels.web import CallError, Line, Reply, Request, call
from channels.web.address import RefusedAddress, place_of
from customers.clock import utcnow

# A provider that wants more time than this is asked again earlier all the same.
_LONGEST_WISH: Final = 3600.0
_USUAL_WISH: Final = 30.0
# Less would be asking at once, again and again.
_LEAST_WISH: Final = 1.0
_TOO_MANY: Final = 429
_BAD_MOMENT: Final = 503
# Who we are, or whether we may: nothing that another message would change.
_OURS: Final = frozenset({401, 403, 407})
_SHOWN: Final = 300


def checked_base(url: str) -> str:
    """A base address as it is kept, without a slash at its end; raises ValueError of one that may not be called."""
    try:
        place_of(url)
    except RefusedAddress as error:
        raise ValueError(gettext("The base address may not be called: %(reason)s.") % {"reason": error}) from None
    if any(sign in url for sign in "?#\\ ") or not url.isascii():
        raise ValueError(gettext("The base address has neither a query nor a fragment."))
    return url.rstrip("/")


class HttpProvider(Provider):
    """Says what to ask for a message, and reads the reply; a line to `base_url` of its settings carries both."""

    @abstractmethod
    def request(self, outgoing: Outgoing) -> Request:
        """The call for one message; raises DeliveryError where none can be made of it."""

    @abstractmethod
    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        """What the provider made of it; raises DeliveryError, most easily by `refused(reply, …)`."""

    def question(self) -> Request | None:
        """What can be asked of the provider that only somebody it knows is told, and that changes nothing."""
        return None

    def probe(self, deadline: float) -> None:
        asked = self.question()
        if asked is None:
            super().probe(deadline)
            return
        reply = called(asked, deadline)
        if not 200 <= reply.status < 300:
            raise refused(reply)

    def session(self) -> "HttpSession":
        """What the batch goes through; providers that need more than lines have their own."""
        return HttpSession(self)

    @contextmanager
    def open(self) -> Iterator["HttpSession"]:
        session = self.session()
        try:
            yield session
        finally:
            session.close()


class Lines:
    """Some providers have one host for all that is said to them, some have another for each person (push services):
    there is a line for each host of a batch, up to a few."""

    _most = 8

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def call(self, request: Request, deadline: float) -> Reply:
        """Raises DeliveryError where no whole reply came."""
        line = self._line(request.url, deadline)
        try:
            return line.call(request, deadline)
        except CallError as error:
            raise _of_call(error) from None

    def _line(self, url: str, deadline: float) -> Line:
        """The line to where an address leads, ready to be spoken over."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        line = self._lines.get(place)
        if line is None:
            if len(self._lines) >= self._most:
                self._lines.pop(next(iter(self._lines))).drop()
            line = self._lines[place] = Line(place)
        try:
            line.prepare(deadline)
        except CallError as error:
            raise _of_call(error) from None
        return line

    def close(self) -> None:
        for line in self._lines.values():
            line.drop()


class HttpSession(Lines):
    """What an HttpProvider says goes over lines, as it is."""

    def __init__(self, provider: HttpProvider) -> None:
        super().__init__()
        self._provider = provider

    def prepare(self, deadline: float) -> None:
        base = getattr(self._provider.config, "base_url", "")
        if base:
            self._line(base, deadline)

    def request(self, outgoing: Outgoing) -> Request:
        return self._provider.request(outgoing)

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        return self._provider.read(self.call(self.request(outgoing), deadline), outgoing)


def called(request: Request, deadline: float) -> Reply:
    """One call beside all messages; raises DeliveryError where no whole reply came."""
    try:
        return call(request, deadline)
    except CallError as error:
        raise _of_call(error) from None


def _of_call(error: CallError) -> DeliveryError:
    if error.name in ("refused_address", "untrusted"):
        return DeliveryError(error.name, blame=Blame.SETTINGS)
    if error.name == "bad_request":
        # Its headers and address are made of settings: what it says to whom is in the body.
        return DeliveryError(error.name, blame=Blame.SETTINGS)
    return DeliveryError(error.name, accepted="maybe" if error.began else "no", blame=Blame.PROVIDER)


def refused(reply: Reply, detail: str = "", code: str = "", *, permanent: bool | None = None) -> DeliveryError:
    """The error that a reply amounts to by its status: our log-in (401, 403), one time too many (429) or a bad moment
    (503 that the provider speaks of), of which nothing was taken; a fault of theirs (other 5xx), of which nobody knows;
    else a no to this message, for good unless it is said otherwise. `code` is the provider's own."""
    said = f"{reply.status} {code} {detail}".replace("  ", " ").strip()[:_SHOWN]
    wish = retry_after(reply)
    if reply.status == _TOO_MANY:
        return DeliveryError(said, code=code, retry_after=wish or _USUAL_WISH, blame=Blame.PROVIDER)
    if reply.status == _BAD_MOMENT and (wish is not None or code):
        # Told by whoever would have taken it: FCM's UNAVAILABLE, Meta's 131016, or when to come again (RFC 9110
        # §15.6.4). Without a wish it is a failure like any other, with pauses that grow.
        return DeliveryError(said, code=code, retry_after=wish, blame=Blame.PROVIDER)
    if reply.status in _OURS:
        return DeliveryError(said, code=code, blame=Blame.SETTINGS)
    if 300 <= reply.status < 400:
        return DeliveryError("redirect_not_followed", code=code, blame=Blame.SETTINGS)
    if reply.status >= 500:
        # A bare 503 too: what stands before a provider says so of a connection that broke once the call was through.
        return DeliveryError(said, code=code, accepted="maybe", blame=Blame.PROVIDER)
    return DeliveryError(said, code=code, permanent=True if permanent is None else permanent)


def retry_after(reply: Reply) -> float | None:
    """Retry-After in seconds (RFC 9110 §10.2.3: a number, or a date)."""
    said = reply.headers.get("retry-after", "").strip()
    if not said:
        return None
    if said.isdigit():
        return min(max(float(said[:9]), _LEAST_WISH), _LONGEST_WISH)
    try:
        at = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - utcnow()).total_seconds(), _LEAST_WISH), _LONGEST_WISH)


def document(reply: Reply) -> dict[str, Any]:
    """The reply's JSON object. One that was answered 2xx and cannot be read says nothing of what became of it."""
    try:
        found = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    if 200 <= reply.status < 300:
        raise DeliveryError("the reply is not the provider's", accepted="maybe", blame=Blame.PROVIDER)
    return {}
