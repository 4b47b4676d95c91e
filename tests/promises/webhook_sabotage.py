"""Control builds of outgoing webhooks."""

from collections.abc import Callable, Collection
from typing import Any, Final
from uuid import UUID


def delivered_before_the_call() -> None:
    """A delivery is written down as done when it is taken in hand, and called afterwards."""
    from channels.models import WebhookDelivery
    from channels.webhooks import line
    from channels.webhooks.claim import load
    from customers.clock import utcnow
    from tests.promises.patching import put

    def done_already(ids: Collection[UUID], token: int) -> list[Any]:
        found = load(ids, token)
        WebhookDelivery.objects.filter(pk__in=list(ids)).update(
            state="delivered", settled_at=utcnow(), lease_token=None
        )
        return found

    put(line, "load", done_already)


def another_id_at_each_attempt() -> None:
    """Each attempt has an id of its own, so nobody knows what was told before."""
    from channels.webhooks import make
    from channels.webhooks.secrets import signed
    from customers.ids import new_id
    from tests.promises.patching import put

    put(make, "signed", lambda secrets, delivery, body, now: signed(secrets, new_id(), body, now))


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "delivered before the call": delivered_before_the_call,
    "another id at each attempt": another_id_at_each_attempt,
}
