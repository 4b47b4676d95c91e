"""A line to one place, kept open from call to call: for whoever has many things to say there."""

from channels.web.connection import Connection, Deadline
from channels.web.exchange import MOST_BYTES, CallError, Reply, Request, connected, exchange


class Line:
    """Used by one worker at a time. Deadlines are instants of `time.monotonic()`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._connection: Connection | None = None

    def prepare(self, deadline: float) -> None:
        """Have it open; raises CallError. What was open and is closed by now is opened anew: as nothing was said over
        it, nothing can be lost."""
        if self._connection is not None and self._connection.is_fresh():
            return
        self.drop()
        self._connection = connected(self._base_url, Deadline(deadline))

    def call(self, request: Request, deadline: float, most: int = MOST_BYTES) -> Reply:
        """One call below the base address, over the line as it was prepared; raises CallError."""
        if self._connection is None:
            raise CallError("unreachable")
        if not request.url.startswith(self._base_url):
            raise CallError("bad_request")
        self._connection.deadline.at = deadline
        try:
            reply = exchange(self._connection, request, most, keep=True)
        except CallError:
            # What is half said or half read cannot be gone on with.
            self.drop()
            raise
        if self._connection.sock is None:
            # The other side said that this reply was its last.
            self.drop()
        return reply

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.end()
            self._connection = None
