"""Letters that are written and held back until their wave is let go, and who tells when a sender is at one."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid4

from django.db import connection

from channels.models import Message
from config.processes import Process
from tests.promises.client import Client
from tests.promises.stage import Stage

_LOOK_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 3.0
_AT_ONCE: Final = 200
_ATTEMPTS: Final = 3

_HOLD_BACK: Final = """
    CREATE FUNCTION lab_hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.due_at := now() + interval '1 day';
        NEW.expires_at := now() + interval '2 days';
        RETURN NEW;
    END $$;
    CREATE TRIGGER lab_hold_back BEFORE INSERT ON channels_message FOR EACH ROW EXECUTE FUNCTION lab_hold_back();
"""


def tell(partner: Client, told: Sequence[Mapping[str, object]]) -> None:
    """All of it once: each has an id, by which it is told again where the connection was idle for too long."""
    named = [{"id": str(uuid4()), **one} for one in told]
    for start in range(0, len(named), _AT_ONCE):
        part = named[start : start + _AT_ONCE]
        replies = (partner.post("/api/v1/events/batch", {"events": part}) for _attempt in range(_ATTEMPTS))
        reply = next((one for one in replies if one is not None), None)
        assert reply is not None, "the door of events does not answer"
        assert reply.json["accepted"] + reply.json["duplicates"] == len(part), reply.json


def agree(stage: Stage, partner: Client, users: Iterable[str], purpose: str) -> None:
    """Have these people known by their mail addresses, and agree to what is sent there."""
    told: list[dict[str, object]] = []
    for user in users:
        told.append({"type": "identify", "identifiers": {"user_id": user, "email": email_of(user)}})
        about = {"purpose": purpose, "address": email_of(user)}
        told.append({"name": "consent.granted", "identifiers": {"user_id": user}, "properties": about})
    tell(partner, told)
    stage.settle("their consents")


def email_of(user: str) -> str:
    return f"{user}@people.example.com"


def hold_back() -> None:
    """From here on what is queued is due tomorrow."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_BACK)


def let_go(address_ids: Iterable[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE channels_message SET due_at = now() WHERE address_id = ANY(%s)", [list(address_ids)])


def kill(stage: Stage, senders: Sequence[Process]) -> None:
    """One of them, which is started anew."""
    victim = stage.chance.choice(senders)
    victim.kill()
    victim.start()
    stage.keeper.keep(victim.pid)


class Watch:
    """Tells when a sender has announced that it is about to write to one of these addresses, or to any."""

    def __init__(self, address_ids: Iterable[UUID]) -> None:
        self._events = {address_id: threading.Event() for address_id in address_ids}
        self._any = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, address_id: UUID | None) -> None:
        (self._any if address_id is None else self._events[address_id]).wait(_PATIENCE_SECONDS)

    def _look(self) -> None:
        try:
            while not self._over.wait(_LOOK_SECONDS):
                at = Message.objects.filter(address__in=list(self._events), state=Message.State.DISPATCHING)
                for address_id in at.values_list("address_id", flat=True):
                    if address_id is not None:
                        self._any.set()
                        self._events[address_id].set()
        finally:
            connection.close()
