"""The gate: many sends asked about at once, by as many statements as for one."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from channels.dispatch import dispatch_due
from channels.models import Message
from channels.pacing.gate import Answer, Sending, gate
from consent.models import Purpose
from tests.channels.pacing import at_most, quiet_hours
from tests.channels.world import NOW, Person, World
from tests.consent import people

HOUR = timedelta(hours=1)


def sending(world: World, person: Person, purpose: Purpose | None = None) -> Sending:
    return Sending(person.customer.pk, person.address.pk, "email", (purpose or world.purpose).pk)


def reasons(answers: list[Answer]) -> list[str]:
    return ["" if one.may_go else one.block.reason.value if one.block else one.verdict.reason for one in answers]


def test_of_two_for_one_customer_the_second_counts_the_first(world: World) -> None:
    ana, bia = world.person(), world.person("bia@example.com")
    at_most(world.brand, 1)
    asked = [sending(world, one) for one in (ana, ana, bia)]
    assert reasons(gate(asked, NOW)) == ["", "capped", ""]


def test_who_may_not_be_written_to_takes_nobodys_place(world: World) -> None:
    ana = world.person()
    other = people.make_purpose(world.brand, "other")
    at_most(world.brand, 1)
    assert reasons(gate([sending(world, ana, other), sending(world, ana)], NOW)) == ["no_consent", ""]


def test_each_is_asked_about_by_the_clock_of_their_own_zone(world: World) -> None:
    ana, bia = world.person(), world.person("bia@example.com")
    bia.customer.zone = "Pacific/Kiritimati"
    bia.customer.save()
    quiet_hours(world.brand, "22:00", "08:00")
    assert reasons(gate([sending(world, ana), sending(world, bia)], NOW)) == ["", "quiet_hours"]


def test_what_the_gate_says_is_what_becomes_of_them(world: World) -> None:
    at_most(world.brand, 1)
    persons = [world.person(f"p{n}@example.com") for n in range(4)]
    for one in persons[:2]:
        sent = world.queue(one)
        Message.objects.filter(pk=sent).update(state="sent", settled_at=NOW - HOUR)
    said = reasons(gate([sending(world, one) for one in persons], NOW))
    ids = [world.queue(one, expires_at=NOW + timedelta(days=3)) for one in persons]
    dispatch_due(world.connector.pk, NOW)
    assert said == [Message.objects.get(pk=id_).reason for id_ in ids] == ["capped", "capped", "", ""]


def test_many_take_as_many_statements_as_one(world: World) -> None:
    at_most(world.brand, 1)
    quiet_hours(world.brand, "22:00", "08:00")
    persons = [world.person(f"p{n}@example.com") for n in range(12)]

    def statements(count: int) -> int:
        seen: list[str] = []
        execute: Callable[..., object] = psycopg.Cursor.execute

        def counted(*args: object, **kwargs: object) -> object:
            seen.append(str(args[1]))
            return execute(*args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("psycopg.Cursor.execute", counted)
            gate([sending(world, one) for one in persons[:count]], NOW)
        return len(seen)

    assert statements(12) == statements(1)


def test_nothing_is_asked_of_nobody(db: None) -> None:
    assert gate([], NOW) == []
