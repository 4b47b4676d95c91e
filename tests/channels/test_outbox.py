"""The outbox: written in the caller's transaction, once per visit and address, cancelled while unsent."""

import pytest
from django.db import transaction
from psycopg.errors import UniqueViolation

from channels.models import Message, RecentSend
from channels.outbox import NewMessage, cancel_unsent, write_messages
from customers.pg import raw_cursor
from tests.channels.world import NOW, World, content, state


def write(*messages: NewMessage) -> None:
    with transaction.atomic(), raw_cursor() as cursor:
        write_messages(cursor, messages)


def cancel(origin_ids: list[str], reason: str = "ended") -> int:
    with transaction.atomic(), raw_cursor() as cursor:
        return cancel_unsent(cursor, "broadcast", origin_ids, reason, NOW)


def test_a_message_is_written_whole(world: World) -> None:
    new = world.new_message(world.person(), entry_consent_id=7, context={"plan": "çold", "n": [1, 2.5]})
    write(new)
    row = Message.objects.get(pk=new.id)
    assert {name: getattr(row, name) for name in new.__slots__ if name != "context"} == {
        name: getattr(new, name) for name in new.__slots__ if name != "context"
    }
    assert (row.attempts, row.crashes, row.provider_id, row.lease_token) == (0, 0, "", None)
    assert content(new.id).context == {"plan": "çold", "n": [1, 2.5]}


def test_nothing_to_write_writes_nothing(world: World) -> None:
    write()
    assert not Message.objects.exists()


def test_a_refused_message_is_a_row_with_its_reason(world: World) -> None:
    new = world.new_message(world.person(), address_id=None, state="suppressed", reason="no_address", settled_at=NOW)
    write(new)
    assert state(new.id) == ("suppressed", "no_address")


def test_the_same_visit_twice_is_refused_by_the_database(world: World) -> None:
    person = world.person()
    write(world.new_message(person, origin_id="5", visit=2))
    with pytest.raises(UniqueViolation):
        write(world.new_message(person, origin_id="5", visit=2))
    assert Message.objects.count() == 1


def test_the_same_visit_without_an_address_twice_is_refused_too(world: World) -> None:
    person = world.person()
    write(world.new_message(person, origin_id="5", address_id=None))
    with pytest.raises(UniqueViolation):
        write(world.new_message(person, origin_id="5", address_id=None))


@pytest.mark.parametrize("unsent", ["queued", "held", "leased"])
def test_what_was_not_sent_is_cancelled(world: World, unsent: str) -> None:
    id_ = world.queue(world.person(), origin_id="5", state=unsent)
    assert cancel(["4", "5"], "merged") == 1
    row = Message.objects.get(pk=id_)
    assert (row.state, row.reason, row.settled_at) == ("cancelled", "merged", NOW)


@pytest.mark.parametrize("unsent", ["queued", "held", "leased"])
def test_what_a_provider_may_have_is_not_told_as_cancelled(world: World, unsent: str) -> None:
    person = world.person()
    taken, waiting = (world.queue(person, origin_id=one, state=unsent) for one in ("5", "6"))
    RecentSend.objects.create(address=person.address, copy_key=f"welcome:{taken}", sent_at=NOW, message_id=taken)
    assert cancel(["5", "6"]) == 1
    assert (state(taken), state(waiting)) == (("unknown", "interrupted"), ("cancelled", "ended"))
    row = Message.objects.get(pk=taken)
    assert (row.settled_at, row.lease_token, row.leased_until) == (NOW, None, None)


def test_what_we_put_on_screens_ourselves_is_certainly_not_there(world: World) -> None:
    world.connector.provider = "inapp"
    world.connector.save()
    person = world.person()
    id_ = world.queue(person, origin_id="5")
    RecentSend.objects.create(address=person.address, copy_key=f"welcome:{id_}", sent_at=NOW, message_id=id_)
    assert cancel(["5"]) == 1
    assert state(id_) == ("cancelled", "ended")


@pytest.mark.parametrize("final", ["dispatching", "sent", "failed", "unknown", "suppressed"])
def test_what_is_under_way_or_settled_stays(world: World, final: str) -> None:
    id_ = world.queue(world.person(), origin_id="5", state=final)
    assert cancel(["5"]) == 0
    assert state(id_) == (final, "")


def test_other_origins_stay(world: World) -> None:
    person = world.person()
    other = world.queue(person, origin_id="6")
    kind = world.queue(person, origin_id="5", origin_kind="case")
    assert cancel(["5"]) == 0
    assert {state(other), state(kind)} == {("queued", "")}
