"""What people do, from their first look at the shop on: messages as the company's systems would send them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from config.demo.brands import MARKETING, NOTICE, Product
from config.demo.people import Person

Message = dict[str, Any]
# How busy the hours of a day are, from midnight on, where people live.
_HOURS: Final = (1, 0, 0, 0, 0, 1, 4, 8, 9, 8, 7, 8, 10, 9, 7, 6, 7, 9, 11, 13, 14, 12, 7, 3)
_SOON: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Told:
    """One message: at which beat it is sent, by which source of which brand."""

    at: datetime
    brand: str
    source: str
    message: Message


class Moments(Protocol):
    """When something can happen: at the beats of a history, or at any time."""

    def burst_at(self, moment: datetime) -> datetime | None: ...

    def beat_at(self, moment: datetime) -> datetime | None: ...


@dataclass(slots=True)
class Basket:
    """What is in a cart or an order."""

    lines: tuple[tuple[Product, int], ...]
    currency: str

    @property
    def total(self) -> int:
        return sum(product.cents * quantity for product, quantity in self.lines)

    def properties(self) -> dict[str, Any]:
        items = [
            {"sku": product.sku, "name": product.name, "quantity": quantity, "price": product.cents}
            for product, quantity in self.lines
        ]
        return {"items": items, "total": self.total, "currency": self.currency}


@dataclass(slots=True)
class Life:
    """One person's way through the calendar; messages gather in `told`. A life that is taken up again needs a
    `mark` of its own, so that its carts and messages are not those of before."""

    person: Person
    calendar: Moments
    mark: str = ""
    told: list[Told] = field(default_factory=list)
    _serial: int = 0
    _baskets: int = 0

    def live(self, end: datetime) -> list[Told]:
        """Everything the person does until the end, in order."""
        person, random = self.person, self.person.random
        joined = end - timedelta(days=person.joined_days_ago)
        if random.random() < 0.55:
            self.look_around(joined)
        start = self.calendar.burst_at(self._wake(joined))
        if start is not None:
            self._belong(start)
        return sorted(self.told, key=lambda told: told.at)

    def _belong(self, start: datetime) -> None:
        """From the day they join."""
        self.join(start)
        if self.person.has_app:
            self.install(start)
        self.activate(start)
        for moment in self._visits(start):
            self.visit(moment)
        if self.person.has_card:
            self.go_to_the_store(start)
        self._change_of_mind(start)

    # --- the beginning ----------------------------------------------------------------------------

    def look_around(self, joined: datetime) -> None:
        """Visits before the log-in, known by nothing but the browser's id."""
        for _visit in range(self.person.random.randint(1, 3)):
            moment = self.calendar.burst_at(self._wake(joined - timedelta(days=self.person.random.uniform(0.3, 6))))
            if moment is not None and moment < joined:
                self.look_at(moment, logged_in=False)

    def look_at(self, at: datetime, *, logged_in: bool) -> None:
        for product in self._products(self.person.random.randint(1, 3)):
            self._track(at, "shop", "product.viewed", {"sku": product.sku}, logged_in=logged_in)

    def join(self, at: datetime) -> None:
        person, random = self.person, self.person.random
        self._identify(at, "shop", self._traits(), with_browser=True)
        if person.grants:
            self._consent(at, "consent.granted", method="double_opt_in" if random.random() < 0.3 else None)
        channel = random.choices(("web", "app", "store"), (0.62, 0.3, 0.08))[0]
        self._track(at, "shop", "customer.registered", {"channel": channel})

    def _traits(self) -> dict[str, Any]:
        person = self.person
        traits = {
            "email": person.email,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "city": person.city.name,
            "region": person.city.region,
            "country": person.plan.country,
            "timezone": person.city.zone,
            "locale": person.locale,
        }
        # Some forms let people leave out their names.
        if person.random.random() < 0.015:
            del traits["first_name"]
        return traits | ({"phone": person.phone} if person.has_phone else {})

    def install(self, start: datetime, *, at_once: bool = False) -> None:
        at = start if at_once else self._later(start, 0.0, 3.0)
        if at is None:
            return
        kind = "ios" if self.person.random.random() < 0.45 else "android"
        device = {"device": {"type": kind, "token": self.person.push_token}}
        self._add(at, "app", {"type": "identify", "userId": self.person.user_id, "traits": {}, "context": device})
        self._track(at, "app", "login.succeeded", {})
        for _open in range(self.person.random.randint(0, 4)):
            if (again := self._later(start, 1, 60)) is not None:
                self._track(again, "app", "app.opened", {"version": "4.2.0"})

    def activate(self, start: datetime) -> None:
        """At once, after a nudge, or never."""
        days = self.person.random.choices((0.0, 1.1, 2.6, 5.6, None), (0.28, 0.12, 0.13, 0.07, 0.4))[0]
        if days is None:
            return
        at = self.calendar.beat_at(start + _SOON) if not days else self._later(start, days, days + 0.8)
        if at is not None:
            favourite = self.person.random.choice(("filter", "espresso", "french press", "capsules", "cold brew"))
            self._track(at, "shop", "account.activated", {"favourite": favourite})

    # --- shopping ---------------------------------------------------------------------------------

    def _visits(self, start: datetime) -> Iterator[datetime]:
        moment = start
        while True:
            moment += timedelta(days=self.person.random.expovariate(self.person.visits / 7) + 0.2)
            at = self.calendar.burst_at(self._wake(moment))
            if at is None:
                return
            yield at

    def visit(self, at: datetime) -> None:
        random = self.person.random
        source = "app" if self.person.has_app and random.random() < 0.5 else "shop"
        for product in self._products(random.randint(1, 2)):
            self._track(at, source, "product.viewed", {"sku": product.sku})
        if random.random() < 0.62:
            self.fill_a_cart(at, source)

    def fill_a_cart(self, at: datetime, source: str, what: str = "") -> None:
        """What becomes of it: bought soon, after the push, after WhatsApp, emptied, or left; chance if not told."""
        random = self.person.random
        self._baskets += 1
        number = f"{self.person.number:05}{self._baskets:03}{self.mark}"
        lines = tuple((product, random.choices((1, 2, 3), (0.7, 0.22, 0.08))[0]) for product in self._products(None))
        basket = Basket(lines, self.person.plan.currency)
        cart = {"cart_id": f"C{number}"}
        named = {"item_name": lines[0][0].name}
        self._track(at, source, "cart.created", cart | named | basket.properties())
        what = what or random.choices(("soon", "push", "whatsapp", "emptied", "left"), (0.56, 0.1, 0.07, 0.05, 0.22))[0]
        after = {"soon": 0.0, "push": random.uniform(0.05, 0.8), "whatsapp": random.uniform(1.1, 2.4)}
        if what == "left":
            return
        then = self.calendar.beat_at(at + _SOON + timedelta(days=after.get(what, 0.02)))
        if then is None:
            return
        if what == "emptied":
            self._track(then, source, "cart.emptied", cart)
        else:
            self._order(then, source, cart, basket, f"{self.person.plan.country}{number}")

    def owe(self, at: datetime) -> None:
        """Order something, and not pay for it for now."""
        self._baskets += 1
        order = {"order_id": f"{self.person.plan.country}{self.person.number:05}{self._baskets:03}{self.mark}"}
        basket = Basket(tuple((product, 1) for product in self._products(None)), self.person.plan.currency)
        money = {"total": basket.total, "currency": basket.currency}
        method = self.person.plan.payments[0][0]
        self._track(at, "shop", "order.completed", order | {"payment_method": method} | basket.properties())
        self._track(at, "shop", "payment.pending", order | {"method": method} | money)

    def _order(self, at: datetime, source: str, cart: dict[str, Any], basket: Basket, number: str) -> None:
        random, plan = self.person.random, self.person.plan
        method, _share, pending = random.choices(plan.payments, [share for _name, share, _pending in plan.payments])[0]
        order = {"order_id": number}
        money = {"total": basket.total, "currency": basket.currency}
        self._track(at, source, "order.completed", order | cart | {"payment_method": method} | basket.properties())
        if random.random() < pending:
            self._track(at, "shop", "payment.pending", order | {"method": method} | money)
            self._pay_late(at, order, money)
        else:
            self._track(at, "shop", "payment.completed", order | money)
        if random.random() < 0.025 and (back := self._later(at, 4, 12)):
            self._track(back, "shop", "order.refunded", order | money)
        if random.random() < 0.05 and (later := self._later(at, 2, 9)):
            self._ask_for_help(later)

    def _pay_late(self, at: datetime, order: dict[str, Any], money: dict[str, Any]) -> None:
        """Within the hour, after the mail, after the SMS, or not at all."""
        random = self.person.random
        when = random.choices((0.01, 0.3, 1.4, None), (0.52, 0.26, 0.1, 0.12))[0]
        if when is None:
            if random.random() < 0.5 and (then := self._later(at, 0.5, 1.8)):
                self._track(then, "shop", "order.cancelled", order)
            return
        then = self.calendar.beat_at(at + timedelta(days=when * random.uniform(0.7, 1.3)))
        if then is not None:
            self._track(then, "shop", "payment.completed", order | money)

    def _ask_for_help(self, at: datetime) -> None:
        random = self.person.random
        ticket = {"ticket_id": f"T{self.person.number:05}{self._serial:03}{self.mark}"}
        topic = random.choice(("delivery", "grind", "invoice", "subscription", "damaged"))
        self._track(at, "crm", "support.contacted", ticket | {"topic": topic})
        if random.random() < 0.85 and (then := self._later(at, 0.1, 2)):
            self._track(then, "crm", "support.resolved", ticket)

    def go_to_the_store(self, start: datetime) -> None:
        """Tills know card numbers; some cards are tied to an e-mail address, at first or later."""
        random = self.person.random
        tied = random.random()
        for visit in range(random.randint(1, 5)):
            if (at := self._later(start, 0, 80)) is not None:
                self.buy_at_the_counter(at, visit, tied=tied < 0.6 and visit == (0 if tied < 0.35 else 1))

    def buy_at_the_counter(self, at: datetime, visit: int, *, tied: bool) -> None:
        """`tied`: the card is tied to the e-mail address on this occasion."""
        person = self.person
        if tied:
            self._add(at, "stores", {"type": "identify", "userId": person.card, "traits": {"email": person.email}})
        products = self._products(None)
        sold = {
            "receipt_id": f"R{person.number:05}{visit}{self.mark}",
            "store": person.plan.stores[person.number % len(person.plan.stores)],
            "total": sum(product.cents for product in products),
            "currency": person.plan.currency,
        }
        message = {"type": "track", "userId": person.card, "event": "store.purchased", "properties": sold}
        self._add(at, "stores", message)

    # --- afterwards -------------------------------------------------------------------------------

    def _change_of_mind(self, start: datetime) -> None:
        person, random = self.person, self.person.random
        if random.random() < 0.22 and (at := self._later(start, 2, 30)):
            tier = random.choices(("green", "roasted", "dark"), (0.6, 0.3, 0.1))[0]
            self._add(at, "crm", {"type": "identify", "userId": person.user_id, "traits": {"tier": tier}})
        if person.grants and random.random() < 0.06 and (at := self._later(start, 3, 50)):
            self._consent(at, "consent.withdrawn")
        if not person.grants and random.random() < 0.1 and (at := self._later(start, 5, 40)):
            self._consent(at, "consent.granted", method="login")
        if random.random() < 0.07 and (at := self._later(start, 6, 40)):
            club = {"subscription_id": f"S{person.number:05}"}
            self._track(at, "shop", "subscription.started", club | {"sku": person.plan.products[0].sku})
            if random.random() < 0.3 and (end := self._later(at, 8, 40)):
                cause = random.choice(("too much coffee", "price", "moving"))
                self._track(end, "shop", "subscription.cancelled", club | {"cause": cause})

    def _consent(self, at: datetime, name: str, method: str | None = None) -> None:
        plan = self.person.plan
        said = {
            "purpose": MARKETING,
            "notice": NOTICE,
            "notice_version": 1,
            "language": "pt-BR" if self.person.locale == "pt-BR" else "en",
            "legal_basis": plan.legal_basis,
            "jurisdiction": plan.country,
            "collector": f"{plan.name}, {plan.site}",
        }
        self._track(at, "shop", name, said | ({"method": method} if method else {}), context=self._browser())

    # --- how it is told ---------------------------------------------------------------------------

    def _browser(self) -> dict[str, Any]:
        return {
            "ip": self.person.ip,
            "userAgent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
            "page": {"url": f"https://{self.person.plan.site}/account/new"},
            "locale": self.person.locale,
        }

    def _identify(self, at: datetime, source: str, traits: dict[str, Any], *, with_browser: bool) -> None:
        message: Message = {"type": "identify", "userId": self.person.user_id, "traits": traits}
        if with_browser:
            message |= {"anonymousId": self.person.anonymous_id}
        self._add(at, source, message)

    def _track(
        self,
        at: datetime,
        source: str,
        event: str,
        properties: dict[str, Any],
        *,
        logged_in: bool = True,
        context: dict[str, Any] | None = None,
    ) -> None:
        who = {"userId": self.person.user_id} if logged_in else {"anonymousId": self.person.anonymous_id}
        message = {"type": "track", "event": event, "properties": properties, **who}
        self._add(at, source, message | ({"context": context} if context else {}))

    def _add(self, at: datetime, source: str, message: Message) -> None:
        self._serial += 1
        id_ = f"{self.person.plan.key}-{self.person.number:05}-{self._serial:03}{self.mark}"
        self.told.append(Told(at, self.person.plan.key, source, message | {"messageId": id_}))

    def _products(self, count: int | None) -> Sequence[Product]:
        random, products = self.person.random, self.person.plan.products
        return random.sample(products, count or random.choices((1, 2, 3), (0.6, 0.28, 0.12))[0])

    def _later(self, at: datetime, least_days: float, most_days: float) -> datetime | None:
        days = self.person.random.uniform(least_days, most_days)
        return self.calendar.burst_at(max(self._wake(at + timedelta(days=days)), at + _SOON))

    def _wake(self, moment: datetime) -> datetime:
        """The same day at an hour when people are up."""
        zone = ZoneInfo(self.person.city.zone)
        hour = self.person.random.choices(range(24), _HOURS)[0]
        local = moment.astimezone(zone).replace(hour=hour, minute=self.person.random.randrange(60))
        return local.astimezone(UTC)
