"""Work of the kinds that a journey's units are not: webhooks' bodies, consents, and people who turn out to be one."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from config.loop.checks import Check
from consent.models import Purpose
from tests.promises.client import Client
from tests.promises.deliveries import delivery
from tests.promises.stage import Stage
from tests.promises.webhooks import payments

_PURPOSE: Final = "kinds"
_PAUSE_SECONDS: Final = 0.5
_MOST_TRIES: Final = 400
_UNITED: Final = """
    SELECT count(*) FROM customers_identifier u JOIN customers_profile p ON p.id = u.profile_id
    JOIN customers_profile q ON q.customer_id = p.customer_id AND q.id <> p.id
    JOIN customers_identifier a ON a.profile_id = q.id
    WHERE u.kind_id = 'user_id' AND a.kind_id = 'anonymous_id' AND u.value LIKE 'kind-%'
      AND a.value = 'page-' || split_part(u.value, '-', 2)
"""
_CONSENTS: Final = """
    SELECT count(*) FROM consent_consententry e JOIN consent_purpose p ON p.id = e.purpose_id WHERE p.key = 'kinds'
"""
_PAID: Final = "SELECT count(*) FROM customers_event WHERE name = 'Payment Received'"
_READ: Final = "SELECT count(*) FROM customers_receivedbody WHERE status = 'done'"


class Kinds:
    """One client that does some of each, over and over, and insists on its answers, while this is entered."""

    def __init__(self, stage: Stage, partner: Client) -> None:
        self._stage, self._partner = stage, partner
        Purpose.objects.create(brand=stage.brand, key=_PURPOSE, name="Kinds", kind=Purpose.Kind.MARKETING)
        self._path = f"/hooks/{payments(stage).pk}"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kinds")
        self.rounds = 0

    def __enter__(self) -> "Kinds":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join()

    def ends(self) -> Iterator[Check]:
        """That of every round each unit came to its end once."""
        yield Check("visitors who became known, one person with their pages", self.rounds, self._stage.count(_UNITED))
        yield Check("consents, an entry each", self.rounds, self._stage.count(_CONSENTS))
        yield Check("webhooks' bodies read", self.rounds, self._stage.count(_READ))
        yield Check("  and their events", self.rounds, self._stage.count(_PAID))

    def _run(self) -> None:
        while not self._ending.wait(_PAUSE_SECONDS):
            if self._round(self.rounds):
                self.rounds += 1

    def _round(self, number: int) -> bool:
        what = delivery(number, "paid")
        headers = {**what.headers, "Content-Type": what.type}
        return (
            self._insist("/api/v1/events/batch", {"events": _before(number)})
            and self._insist("/api/v1/events/batch", {"events": _after(number)})
            and self._insist(self._path, what.body, headers)
        )

    def _insist(self, path: str, document: Any, headers: dict[str, str] | None = None) -> bool:
        for _attempt in range(_MOST_TRIES):
            reply = self._partner.post(path, document, headers)
            if reply is not None and reply.status < 300:
                return True
            time.sleep(0.1)
        return False


def _before(number: int) -> list[dict[str, Any]]:
    """What was done on a page by nobody yet, and what somebody did."""
    user = {"user_id": f"kind-{number}"}
    about = {"purpose": _PURPOSE, "address": f"kind-{number}@people.example.com"}
    return [
        {"name": "Page Seen", "id": f"page-{number}", "identifiers": {"anonymous_id": f"page-{number}"}},
        {"name": "consent.granted", "id": f"consent-{number}", "identifiers": user, "properties": about},
    ]


def _after(number: int) -> list[dict[str, Any]]:
    """That the two are one."""
    both = {"user_id": f"kind-{number}", "anonymous_id": f"page-{number}"}
    return [{"type": "identify", "id": f"both-{number}", "identifiers": both}]
