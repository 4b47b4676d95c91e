"""What tests of tracking share: messages with links, sent, and whoever follows them."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from channels.dispatch import dispatch_due
from channels.models import Receipt, TemplateText
from channels.receipts import apply
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, Person, World

BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
LINK = re.compile(r"http://127\.0\.0\.1:8000/l/([\w-]{40})")
PICTURE = re.compile(r"http://127\.0\.0\.1:8000/o/([\w-]{40})\.gif")
LATER = NOW + timedelta(hours=1)


def words(world: World, html: str, text: str = "") -> None:
    TemplateText.objects.filter(version=world.version).update(html=html, text=text)


def sent(world: World, person: Person | None = None, **fields: Any) -> tuple[UUID, str, str]:
    """A message that went out: its id, its page and its plain words."""
    message = world.queue(person or world.person(), **fields)
    dispatch_due(world.connector.pk, NOW)
    [outgoing] = [call.outgoing for call in Recorder.calls if call.outgoing.message_id == message]
    return message, outgoing.html, outgoing.text


def path(address: str) -> str:
    return address.removeprefix("http://127.0.0.1:8000")


def get(address: str, agent: str = BROWSER, **headers: str) -> Any:
    return Client().get(path(address), headers={"User-Agent": agent, **headers})


def applied(now: datetime) -> None:
    apply.apply(list(Receipt.objects.filter(applied_at=None, look_at__lte=now).values_list("pk", flat=True)), now)
