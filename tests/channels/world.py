"""The cast of the channels tests: a brand with one e-mail connector, people, and messages for them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from channels.models import Connector, Message, MessageContent, Template, TemplateText, TemplateVersion
from channels.outbox import NewMessage, write_messages
from channels.secrets import credentials_aad, seal
from consent.models import Purpose
from customers.ids import new_id
from customers.models import Address, Brand, Customer, Profile
from customers.pg import raw_cursor
from tests.consent import people

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HTML = "<p>Olá {{ customer.first_name }}, <a href='{{ unsubscribe_url }}'>sair</a></p>"


@dataclass(slots=True)
class Person:
    customer: Customer
    profile: Profile
    address: Address


@dataclass(slots=True)
class World:
    brand: Brand
    purpose: Purpose
    connector: Connector
    version: TemplateVersion
    journey_id: UUID

    def person(self, email: str = "ana@example.com", *, granted: bool = True, **traits: Any) -> Person:
        """Somebody with an address, and by default with a grant."""
        customer = Customer.objects.create(created_at=NOW, traits={"first_name": "Ana"} | traits, locale="pt-BR")
        profile = people.make_profile(customer, NOW - timedelta(days=30))
        address = people.make_address(email)
        people.seen(profile, address)
        person = Person(customer, profile, address)
        if granted:
            self.tell(person, "given", NOW - timedelta(days=1))
        return person

    def tell(self, person: Person, state: str, at: datetime) -> int:
        return people.tell(person.address, person.profile, self.purpose, state, at)

    def new_message(self, person: Person, **fields: Any) -> NewMessage:
        message_id = new_id()
        values: dict[str, Any] = {
            "id": message_id,
            "brand_id": self.brand.pk,
            "origin_kind": "broadcast",
            "origin_id": str(message_id.int % 10**9),
            "visit": 1,
            "copy_key": f"welcome:{message_id}",
            "scope_id": self.journey_id,
            "channel": "email",
            "connector_id": self.connector.pk,
            "template_version_id": self.version.pk,
            "purpose_id": self.purpose.pk,
            "profile_id": person.profile.pk,
            "address_id": person.address.pk,
            "created_at": NOW,
            "due_at": NOW,
            "expires_at": NOW + timedelta(days=1),
            "context": {"plan": "gold"},
        }
        return NewMessage(**values | fields)

    def queue(self, person: Person, **fields: Any) -> UUID:
        """Put one message into the outbox."""
        message = self.new_message(person, **fields)
        with transaction.atomic(), raw_cursor() as cursor:
            write_messages(cursor, [message])
        return message.id

    def configure(self, **config: Any) -> None:
        self.connector.config = self.connector.config | config
        self.connector.save()


def make_world(provider: str = "sandbox", config: dict[str, Any] | None = None) -> World:
    brand = Brand.objects.create(
        key="acme", name="Acme", locale="en", sender_name="Acme Café", sender_email="news@acme.example"
    )
    purpose = people.make_purpose(brand)
    template = Template.objects.create(brand=brand, key="welcome", name="Welcome", channel="email")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(
        version=version, locale="en", subject="Hello {{ customer.first_name }}", text="Plan {{ event.plan }}"
    )
    TemplateText.objects.create(
        version=version,
        locale="pt",
        subject="Olá {{ customer.first_name }}",
        html=HTML,
        text="Plano {{ event.plan }}",
    )
    connector = Connector.objects.create(
        brand=brand, key="mail", name="Mail", channel="email", provider=provider, config=config or {}
    )
    return World(brand, purpose, connector, version, new_id())


def smtp_config(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none"}


def set_credentials(connector: Connector, **credentials: str) -> None:
    connector.credentials = seal(credentials, credentials_aad(connector.pk))
    connector.save()


def state(message_id: UUID) -> tuple[str, str]:
    """Where a message stands, and why."""
    message = Message.objects.get(pk=message_id)
    return message.state, message.reason


def content(message_id: UUID) -> MessageContent:
    return MessageContent.objects.get(pk=message_id)
