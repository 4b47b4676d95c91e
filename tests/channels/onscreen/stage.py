"""The cast of the on-screen tests: a shop with an inbox and a slot, its visitors, and what their pages ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import orjson
from django.db import transaction
from django.test import Client

from channels.dispatch import dispatch_due
from channels.models import (
    Connector,
    InAppItem,
    Message,
    Template,
    TemplateText,
    TemplateVersion,
    WebPlacement,
    WebSlot,
    WebSlotText,
)
from channels.outbox import NewMessage, write_messages
from channels.receipts import apply
from consent import screens
from consent.models import Purpose
from consent.permission import Want, choose_addresses
from customers import keys
from customers.ids import new_id
from customers.models import Address, Brand, Customer, Edge, Identifier, Profile, Source, WriteKey
from customers.pg import raw_cursor
from customers.visitors import secrets
from tests.consent import people

NOW = people.T0
ORIGIN = "https://www.acme.example"
SCRIPT = "<script>alert(1)</script>"


@dataclass(slots=True)
class Shop:
    brand: Brand
    source: Source
    key: WriteKey
    purpose: Purpose
    slot: WebSlot
    connectors: dict[str, Connector]
    versions: dict[str, TemplateVersion]
    secret: str
    # When everything here happens.
    now: datetime = NOW
    texts: dict[str, TemplateText] = field(default_factory=dict)

    def customer(self) -> Customer:
        return Customer.objects.create(created_at=self.now, traits={"first_name": "Ana"}, locale="en")

    def profile(self, customer: Customer, kind: str, value: str, *, opened: datetime | None = None) -> Profile:
        """Known under one identifier; consent for it is given."""
        profile = people.make_profile(customer, self.now - timedelta(days=30))
        Identifier.objects.create(
            namespace=self.source.namespace,
            kind_id=kind,
            value=value,
            original=value,
            profile=profile,
            opened_at=opened or self.now,
        )
        return profile

    def grant(self, profile: Profile, state: str = "given", at: datetime | None = None) -> None:
        """Of the person, whatever the address."""
        address = Address.objects.filter(pk=profile.pk).first() or people.make_person(profile)
        people.tell(address, profile, self.purpose, state, at or self.now - timedelta(days=1))

    def say(self, channel: str, **fields: Any) -> None:
        TemplateText.objects.filter(pk=self.texts[channel].pk).update(**fields)

    def write(self, customer: Customer, channel: str = "in_app", **fields: Any) -> UUID:
        """Ask for a message, as the engine does, and say its id."""
        [choice] = choose_addresses([Want(customer.pk, channel, self.purpose.pk)], self.now)[0]
        assert choice.address_id is not None
        assert choice.profile_id is not None
        assert choice.verdict.allowed
        message_id = new_id()
        values: dict[str, Any] = {
            "id": message_id, "brand_id": self.brand.pk, "origin_kind": "broadcast", "origin_id": str(message_id),
            "visit": 1, "copy_key": f"welcome:{message_id}", "scope_id": new_id(), "channel": channel,
            "connector_id": self.connectors[channel].pk, "template_version_id": self.versions[channel].pk,
            "purpose_id": self.purpose.pk, "profile_id": choice.profile_id, "address_id": choice.address_id,
            "created_at": self.now, "due_at": self.now, "expires_at": self.now + timedelta(days=1), "context": {},
        }  # fmt: skip
        with transaction.atomic(), raw_cursor() as cursor:
            screens.make(cursor, [(channel, choice.profile_id)], self.now)
            write_messages(cursor, [NewMessage(**values | fields)])
        return message_id

    def send(self, customer: Customer, channel: str = "in_app", **fields: Any) -> UUID:
        message_id = self.write(customer, channel, **fields)
        dispatch_due(self.connectors[channel].pk, self.now)
        return message_id

    def token(self, user: str, *, secret: str = "", **claims: Any) -> str:
        said = {"sub": user, "exp": int((self.now + timedelta(hours=1)).timestamp()), **claims}
        return jwt.encode({name: one for name, one in said.items() if one is not None}, secret or self.secret, "HS256")

    def ask(self, path: str, client: Client, *, origin: str = ORIGIN, **said: Any) -> Any:
        body = orjson.dumps({"writeKey": self.key.public, **said})
        return client.post(path, body, content_type="text/plain", headers={"Origin": origin})

    def inbox(self, client: Client, **said: Any) -> dict[str, Any]:
        answer = self.ask("/v1/inbox", client, **said)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def shown(self, client: Client, **said: Any) -> dict[str, Any] | None:
        """What the visitor's page shows in the slot."""
        answer = self.ask("/v1/slots", client, slots=["home-hero"], **said)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] | None = answer.json()["slots"]["home-hero"]
        return found


def make_shop(key: str = "acme", origins: Sequence[str] = (ORIGIN,), now: datetime = NOW) -> Shop:
    brand = people.make_brand(key)
    Brand.objects.filter(pk=brand.pk).update(locale="en")
    source = people.make_source(brand)
    keys.forget()
    purpose = people.make_purpose(brand)
    slot = WebSlot.objects.create(brand=brand, key="home-hero", name="Home")
    WebSlotText.objects.create(slot=slot, locale="en", title="Fresh coffee", link="/coffee", button="See it")
    WebSlotText.objects.create(slot=slot, locale="pt-BR", title="Café fresco")
    shop = Shop(
        brand,
        source,
        keys.issue_browser(source, list(origins)),
        purpose,
        slot,
        {},
        {},
        secrets.issue(source, now)[1],
        now,
    )
    for channel, provider in (("in_app", "inapp"), ("web", "web")):
        template = Template.objects.create(brand=brand, key=channel, name=channel, channel=channel)
        version = TemplateVersion.objects.create(template=template, number=1)
        options = {"link": "https://acme.example/cart", "button": "To the cart"}
        shop.texts[channel] = TemplateText.objects.create(
            version=version, locale="en", subject="Hello {{ customer.first_name }}", text="Still there.",
            options=options | ({"slot": "home-hero"} if channel == "web" else {}),
        )  # fmt: skip
        shop.versions[channel] = version
        shop.connectors[channel] = Connector.objects.create(
            brand=brand, key=provider, name=provider, channel=channel, provider=provider
        )
    return shop


def item_of(message_id: UUID) -> InAppItem:
    return InAppItem.objects.get(message_id=message_id)


def placement_of(message_id: UUID) -> WebPlacement:
    return WebPlacement.objects.get(message_id=message_id)


def work_off() -> None:
    """Apply what receipts wait."""
    with raw_cursor() as cursor:
        ids = [row[0] for row in cursor.execute("SELECT id FROM channels_receipt WHERE applied_at IS NULL").fetchall()]
    apply.apply(ids, NOW + timedelta(seconds=1))


def state(message_id: UUID) -> str:
    return Message.objects.get(pk=message_id).state


def join(one: Profile, other: Profile, assurance: int, kind: str = "join") -> None:
    """Evidence that they are one person; whose customer they are is for the test to say."""
    low, high = sorted((one, other), key=lambda profile: profile.pk)
    Edge.objects.create(
        low=low, high=high, kind=kind, assurance=assurance, occurred_at=NOW, source_id=new_id(), message_id="m",
        recorded_at=NOW,
    )  # fmt: skip
