"""What happens: sign-ups, log-ins, carts, a visitor, mistakes and a change of mind, in the order they are told."""

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from channels.dispatch.slots import slot
from channels.models import Message
from config.loop.cast import Cast, Person
from config.loop.journeys import PURPOSE, World
from config.loop.mailbox import Mail, read_mails
from config.loop.partner import Partner
from config.loop.processes import Installation, LoopError
from config.loop.tour import BOOKED, code_of

# What the four mistakes are refused with.
MISTAKES = (
    "blocked_identifier",
    "invalid_email",
    "message_id_conflict",
    "schema_violation",
)
VISITOR = "visitor-7"
VISITOR_EMAIL = "visitor@people.example.com"
_PATIENCE_SECONDS = 120.0

_Found = TypeVar("_Found")


@dataclass(slots=True)
class Told:
    """What the scenario brings back for the checks."""

    events: int = 0
    repeated: Mapping[str, object] = field(default_factory=dict)
    repeated_size: int = 0
    unsubscribed: str = ""


@dataclass(slots=True)
class Scenario:
    installation: Installation
    world: World
    cast: Cast
    # People told of at once, and the seconds from one such group to the next.
    group_size: int = 100
    pause: float = 0.0

    def play(self) -> Told:
        told = Told()
        # Nobody can send by the slow connector while its one slot is ours.
        with Partner(self.installation.url, self.world.write_key) as partner:
            with slot(self.world.slow_connector, 1) as held:
                if not held:
                    raise LoopError("the slow connector's slot is taken")
                self._visit(partner)
                batch = self._sign_up(partner)
                self._shop(partner)
                self._travel(partner)
                self._blunder(partner, batch[0]["messageId"])
                told.repeated, told.repeated_size = partner.repeat(batch), len(batch)
                told.unsubscribed = self._unsubscribe(partner)
                self._log_in_while_queued(partner)
            told.events = partner.told
        return told

    def _visit(self, partner: Partner) -> None:
        """Two anonymous ids, seen one after the other with the same user."""
        partner.track(None, "page.viewed", {"path": "/"}, anonymous_id="anonymous-1")
        partner.track(None, "page.viewed", {"path": "/prices"}, anonymous_id="anonymous-2")
        partner.flush()
        partner.identify(VISITOR, {"email": VISITOR_EMAIL}, anonymous_id="anonymous-1")
        partner.track(VISITOR, "page.viewed", {"path": "/account"}, anonymous_id="anonymous-2")
        partner.flush()

    def _sign_up(self, partner: Partner) -> list[dict[str, Any]]:
        """Group by group; those who log in do so while the next group signs up. Returns a batch as sent."""
        before: list[Person] = []
        batch: list[dict[str, Any]] = []
        for group in self.cast.groups(self.group_size):
            self.installation.check()
            self._introduce(partner, group)
            sent = partner.flush()
            batch = batch or sent
            self._begin(partner, group)
            self._log_in(partner, before)
            partner.flush()
            before = group
            time.sleep(self.pause)
        self._log_in(partner, before)
        partner.flush()
        return batch

    def _introduce(self, partner: Partner, group: list[Person]) -> None:
        for person in group:
            traits = {"email": person.email, "first_name": f"No{person.number}"}
            if person.device:
                telephone = {"device": {"token": person.device}}
                partner.identify(person.user_id, {**traits, "phone": person.phone}, context=telephone)
            else:
                partner.identify(person.user_id, traits)
            if person.grant == "early":
                partner.track(person.user_id, "consent.granted", {"purpose": PURPOSE})

    def _begin(self, partner: Partner, group: list[Person]) -> None:
        for person in group:
            if person.grant == "late":
                partner.track(person.user_id, "consent.granted", {"purpose": PURPOSE, "address": person.email})
            plan = "slow" if person.slow else "quick"
            partner.track(person.user_id, "customer.signed_up", {"plan": plan})

    def _log_in(self, partner: Partner, group: list[Person]) -> None:
        for person in group:
            if person.logs_in:
                partner.track(person.user_id, "login.succeeded")

    def _shop(self, partner: Partner) -> None:
        """Two carts each; the first is ordered."""
        for person in self.cast.shoppers:
            for cart in person.carts:
                partner.track(person.user_id, "cart.created", {"cart_id": cart})
        partner.flush()
        for person in self.cast.shoppers:
            partner.track(person.user_id, "order.completed", {"cart_id": person.carts[0], "total": 4200})
        partner.flush()

    def _travel(self, partner: Partner) -> None:
        for person in self.cast.travellers:
            partner.track(person.user_id, BOOKED, {"code": code_of(person)})
        partner.flush()

    def _blunder(self, partner: Partner, taken_id: object) -> None:
        partner.track("null", "login.succeeded", accepted=False)
        partner.identify("user-blunder", {"email": "nobody@nowhere"}, accepted=False)
        partner.track("user-blunder", "login.succeeded", accepted=False, message_id=taken_id)
        partner.track("user-blunder", "order.completed", {"cart_id": "c", "total": "much"}, accepted=False)
        partner.flush()

    def _unsubscribe(self, partner: Partner) -> str:
        """Somebody who logged in, and of whom nothing else is expected, uses the one-click link of the welcome, then
        asks for a receipt."""
        idle = [person for person in self.cast.entered if not person.carts and not person.device]
        those = {person.email: person for person in idle if person.logs_in}
        mail = self._until(lambda: self._first_mail_to(those), "a welcome to unsubscribe from")
        link = mail.header("List-Unsubscribe").strip("<>")
        request = Request(link, data=b"List-Unsubscribe=One-Click", method="POST")  # noqa: S310 - our own
        with urlopen(request, timeout=15) as response:  # noqa: S310
            if response.status != 200:
                raise LoopError(f"one-click unsubscription was answered {response.status}")
        partner.track(those[mail.recipient].user_id, "receipt.asked")
        partner.flush()
        return mail.recipient

    def _first_mail_to(self, recipients: Container[str]) -> Mail | None:
        return next((mail for mail in read_mails(self.installation.mails) if mail.recipient in recipients), None)

    def _log_in_while_queued(self, partner: Partner) -> None:
        slow = self.cast.slow
        queued = Message.objects.filter(
            template_version__template__key="reminder",
            address__value=slow.email,
            state=Message.State.QUEUED,
        )
        self._until(queued.exists, "the reminder of the one who is slow")
        partner.track(slow.user_id, "login.succeeded")
        partner.flush()

    def _until(self, found: Callable[[], _Found | None], what: str) -> _Found:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not (result := found()):
            self.installation.check()
            if time.monotonic() > until:
                raise LoopError(f"there never was {what}")
            time.sleep(0.1)
        return result
