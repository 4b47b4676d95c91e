"""One call by HTTP: to an address that may be called, within a deadline, without redirects, of a bounded reply."""

from channels.web.connection import Deadline
from channels.web.exchange import MOST_BYTES, CallError, Reply, Request, connected, exchange

__all__ = ["CallError", "Reply", "Request", "call"]


def call(request: Request, deadline: float, most: int = MOST_BYTES, *, only_head: bool = False) -> Reply:
    """Make the call; raises CallError. `deadline` is an instant of `time.monotonic()`. A redirect is a reply like any
    other: where it points is for nobody to follow. With `only_head` the reply is judged by its status alone."""
    connection = connected(request.url, Deadline(deadline))
    try:
        return exchange(connection, request, most, only_head=only_head)
    finally:
        connection.end()
