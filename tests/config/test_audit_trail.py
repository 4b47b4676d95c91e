"""What the staff does by hand is on the audit trail, with what it was before; secrets are not."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.models import Connector, SendStop, Template
from consent.models import Purpose, Suppression
from customers import audit
from customers.clock import utcnow
from customers.log_in import back_off, two_factor
from customers.models import (
    Address,
    AuditEntry,
    Authenticator,
    Brand,
    LogInBackOff,
    QuarantinedEvent,
    Squad,
    SquadMember,
)
from journeys.models import Journey
from tests.channels.world import World, make_world
from tests.config.one_of_each import make_one_of_each
from tests.consent.people import make_source
from tests.customers.test_personal import staff

pytestmark = pytest.mark.django_db


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


@pytest.fixture
def world() -> World:
    return make_world()


def last() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


def told(entry: AuditEntry) -> tuple[Any, ...]:
    return entry.actor and entry.actor.username, entry.action, entry.object_type, entry.before, entry.after


def purpose_form(world: World, **fields: str) -> dict[str, Any]:
    return {
        "brand": str(world.brand.pk),
        "key": "news",
        "name": "News",
        "kind": "marketing",
        "description": "",
        "texts-TOTAL_FORMS": "0",
        "texts-INITIAL_FORMS": "0",
    } | fields


def test_adding_and_changing_say_what_and_from_what(root: Client, world: World) -> None:
    assert root.post(page(Purpose, "add"), purpose_form(world)).status_code == 302
    made = last()
    purpose = Purpose.objects.get(key="news")
    assert (made.actor, made.action, made.object_id, made.brand) == (
        User.objects.get(), "add", str(purpose.pk), world.brand,
    )  # fmt: skip
    assert made.before is None
    assert made.after is not None
    assert (made.after["name"], made.after["kind"]) == ("News", "marketing")
    root.post(page(Purpose, "change", purpose.pk), purpose_form(world, name="Letters"))
    assert told(last()) == ("root", "change", "consent.purpose", {"name": "News"}, {"name": "Letters"})
    before = AuditEntry.objects.count()
    root.post(page(Purpose, "change", purpose.pk), purpose_form(world, name="Letters"))
    assert AuditEntry.objects.count() == before, "nothing was changed"
    assert audit.verify(utcnow().date()) is None
    assert not LogEntry.objects.exists()


def test_rows_of_the_same_page_are_told_with_it(root: Client, world: World) -> None:
    squad = Squad.objects.create(brand=world.brand, name="Carts")
    ana = User.objects.create_user("ana", is_staff=True)
    table = {"members-TOTAL_FORMS": "1", "members-INITIAL_FORMS": "0", "members-0-user": str(ana.pk)}
    form = {"brand": str(world.brand.pk), "name": "Carts", "members-0-role": "data_owner", **table}
    assert root.post(page(Squad, "change", squad.pk), form).status_code == 302
    after = last().after
    assert after is not None
    assert [row["user"] for row in after["squadmember"]["added"]] == [ana.pk]


def test_deleting_keeps_what_was_deleted(root: Client, world: World) -> None:
    squad = Squad.objects.create(brand=world.brand, name="Carts")
    member = SquadMember.objects.create(squad=squad, user=User.objects.get(), role="data_owner")
    root.post(page(SquadMember, "delete", member.pk), {"post": "yes"})
    entry = last()
    assert (entry.action, entry.object_type, entry.after) == ("delete", "customers.squadmember", None)
    assert entry.before is not None
    assert entry.before["role"] == "data_owner"


def test_an_action_is_told_for_each_row(root: Client, world: World) -> None:
    one = Journey.objects.create(brand=world.brand, key="one", name="One")
    two = Journey.objects.create(brand=world.brand, key="two", name="Two")
    chosen = {"action": "stop_sending", "_selected_action": [str(one.pk), str(two.pk)]}
    root.post(page(Journey, "changelist"), chosen)
    entries = AuditEntry.objects.filter(action="stop_sending")
    assert set(entries.values_list("object_id", flat=True)) == {str(one.pk), str(two.pk)}
    address = Address.objects.create(channel="email", value="a@b.c", original="a@b.c", created_at=utcnow())
    lifted = Suppression.objects.create(address=address, reason="bounce", created_at=utcnow())
    root.post(page(Suppression, "changelist"), {"action": "lift", "_selected_action": [lifted.pk]})
    entry = last()
    assert (entry.action, entry.object_id, entry.before) == ("lift", str(lifted.pk), {"lifted_at": None})


def test_no_secret_and_nothing_personal_is_written(root: Client, world: World) -> None:
    form = {
        "brand": str(world.brand.pk), "key": "mail", "name": "Mail", "channel": "email", "provider": "sandbox",
        "config": "{}", "secret": '{"password": "tr0ub4dor"}', "concurrency": "4", "is_active": "on",
    }  # fmt: skip
    root.post(page(Connector, "change", world.connector.pk), form)
    user = User.objects.get()
    new = {"password1": "tr0ub4dor-tr0ub4dor", "password2": "tr0ub4dor-tr0ub4dor"}
    root.post(reverse("admin:auth_user_password_change", args=[user.pk]), new)
    refused = QuarantinedEvent.objects.create(
        source=make_source(world.brand), door="segment", code="wrong_type", raw="ana@example.com",
        detail="ana@example.com", received_at=utcnow(),
    )  # fmt: skip
    client = Client()
    client.force_login(User.objects.get())
    client.post(page(QuarantinedEvent, "changelist"), {"action": "discard", "_selected_action": [refused.pk]})
    settled = last()
    assert settled.after is not None
    assert (settled.action, settled.after["status"]) == ("discard", "discarded")
    trail = json.dumps(list(AuditEntry.objects.values_list("before", "after")))
    assert "tr0ub4dor" not in trail
    assert "ana@example.com" not in trail
    assert AuditEntry.objects.filter(object_type="auth.user", action="change").count() == 1


def test_two_factor_is_reset_and_waits_are_lifted_by_an_administrator(root: Client) -> None:
    ana = User.objects.create_user("ana", is_staff=True)
    two_factor.begin(ana, utcnow())
    for _ in range(6):
        back_off.begin([back_off.account("ana")], utcnow())
    users = reverse("admin:auth_user_changelist")
    session = Client()
    session.force_login(ana)
    root.post(users, {"action": "reset_two_factor", "_selected_action": [ana.pk]})
    assert not Authenticator.objects.exists()
    assert session.get("/admin/").status_code == 302
    assert AuditEntry.objects.filter(action="two_factor_reset", object_id=str(ana.pk)).count() == 1
    root.post(users, {"action": "lift_waits", "_selected_action": [ana.pk]})
    assert not LogInBackOff.objects.exists()


def test_accounts_and_roles_are_for_superusers_alone(world: World) -> None:
    client = Client()
    client.force_login(staff("ana", world.brand, "view_brand", "change_brand", role="marketer"))
    for name in ("user", "group"):
        assert client.get(reverse(f"admin:auth_{name}_changelist")).status_code == 403
    mine = User.objects.get(username="ana")
    change = reverse("admin:auth_user_change", args=[mine.pk])
    assert client.post(change, {"username": "ana", "is_superuser": "on"}).status_code in (302, 403)
    mine.refresh_from_db()
    assert not mine.is_superuser


def test_the_trail_is_searched_by_who_what_and_when(root: Client, world: World) -> None:
    root.post(page(Purpose, "add"), purpose_form(world))
    key = last().object_id
    trail = page(AuditEntry, "changelist")
    root_id = User.objects.get().pk
    day = utcnow().date().isoformat()

    def count(**question: str) -> int:
        answer = root.get(trail, question)
        assert answer.status_code == 200
        return int(answer.context["cl"].result_count)

    assert (count(q=key), count(q="consent.purpose"), count(q="nothing")) == (1, 1, 0)
    assert (count(actor=str(root_id)), count(actor=str(root_id + 1))) == (1, 0)
    assert (count(action="add"), count(action="delete")) == (1, 0)
    assert (count(day_from=day, day_to=day), count(day_to="2020-01-01")) == (1, 0)
    shown = root.get(page(AuditEntry, "change", last().pk)).content.decode()
    assert "<ins>News</ins>" in shown
    assert "<ins>News</ins>" in root.get(page(Purpose, "history", key)).content.decode()
    answer = root.post(trail, {"action": "verify", "_selected_action": [last().pk]}, follow=True)
    assert "1 day is sound." in answer.content.decode()


def test_what_is_shown_of_a_change_is_escaped(root: Client, world: World) -> None:
    hostile = "<script>alert(1)</script>"
    root.post(page(Purpose, "add"), purpose_form(world, name=hostile))
    assert hostile not in root.get(page(AuditEntry, "change", last().pk)).content.decode()
    assert hostile not in root.get(page(Purpose, "history", last().object_id)).content.decode()


# --- Rights on single things ------------------------------------------------------------------------------------------


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_who_may_change_a_thing_stops_it(world: World) -> None:
    squad = Squad.objects.create(brand=world.brand, name="Carts")
    free = Journey.objects.create(brand=world.brand, key="free", name="Free")
    theirs = Journey.objects.create(brand=world.brand, key="theirs", name="Theirs", squad=squad)
    client = as_(staff("ana", world.brand, "view_brand", role="marketer"))
    for scope in (theirs.pk, world.brand.pk, world.connector.pk, Template.objects.get().pk):
        answer = client.post(page(SendStop, "add"), {"scope_id": str(scope), "reason": ""})
        assert "Nothing that is yours to stop has this id." in answer.content.decode()
    assert client.post(page(SendStop, "add"), {"scope_id": str(free.pk), "reason": ""}).status_code == 302
    assert list(SendStop.objects.values_list("scope_id", flat=True)) == [free.pk]


def test_only_who_sees_every_brand_suppresses_in_every_brand(world: World) -> None:
    brand = make_one_of_each_in_second_brand()
    agent = as_(staff("agent", brand, "view_brand", "view_pii", role="agent"))
    address = Address.objects.get(value="ana@example.com")
    assert agent.post(page(Suppression, "add"), {"address": str(address.pk), "brand": ""}).status_code == 200
    done = agent.post(page(Suppression, "add"), {"address": str(address.pk), "brand": str(brand.pk)})
    assert done.status_code == 302
    assert Suppression.objects.filter(reason="manual").get().brand == brand


def make_one_of_each_in_second_brand() -> Brand:
    Brand.objects.filter(key="acme").update(key="first")
    return make_one_of_each().brand


def test_managers_bring_people_into_squads_and_others_do_not(world: World) -> None:
    squad = Squad.objects.create(brand=world.brand, name="Carts")
    boss = staff("boss", world.brand, "view_brand", "change_brand", role="marketer")
    plain = staff("plain", world.brand, "view_brand", role="marketer")
    form = {"squad": str(squad.pk), "user": str(plain.pk), "role": "data_owner"}
    assert as_(plain).post(page(SquadMember, "add"), form).status_code in (200, 403)
    assert not SquadMember.objects.exists()
    assert as_(boss).post(page(SquadMember, "add"), form).status_code == 302
    assert SquadMember.objects.get().user == plain
    mine = {"brand": str(world.brand.pk), "name": "Mine", "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    assert as_(plain).post(page(Squad, "add"), mine).status_code == 403
    assert not Squad.objects.filter(name="Mine").exists()


def test_a_thing_is_not_given_to_a_squad_of_another_brand(world: World) -> None:
    other = Brand.objects.create(key="other", name="Other")
    foreign = Squad.objects.create(brand=other, name="Foreign")
    root = User.objects.create_superuser("root")
    form = {"brand": str(world.brand.pk), "squad": str(foreign.pk), "key": "t", "name": "T", "channel": "email"}
    answer = as_(root).post(page(Template, "add"), form)
    assert "This squad works in another brand." in answer.content.decode()
    assign_perm("view_brand", root, other)
    assert not Template.objects.filter(key="t").exists()
