"""The delivery log as a file: what the list shows as it is narrowed, and to nobody more than the list would."""

import csv
import io
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.admin import exporting
from channels.dispatch import dispatch_due
from channels.models import Message
from customers.models import AuditEntry
from tests.channels.world import NOW, World

EXPORT = "admin:channels_message_export"


@pytest.fixture
def root(client: Client, world: World) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def reader(world: World, *permissions: str) -> Client:
    """Somebody who may see the brand's messages, and no personal data unless told so."""
    user = User.objects.create_user("rita", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_message"))
    for permission in ("view_brand", *permissions):
        assign_perm(permission, user, world.brand)
    client = Client()
    client.force_login(user)
    return client


def lines(client: Client, **narrowed: str) -> list[dict[str, str]]:
    answer = client.get(reverse(EXPORT), narrowed)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"].startswith('attachment; filename="messages-')
    content: Iterator[bytes] = answer.streaming_content  # type: ignore[attr-defined]  # of a streaming answer
    return list(csv.DictReader(io.StringIO(b"".join(content).decode("utf-8-sig"))))


def test_every_message_and_not_message_is_a_line(root: Client, world: World) -> None:
    sent = world.queue(world.person())
    refused = world.queue(world.person("rui@example.com", granted=False))
    dispatch_due(world.connector.pk, NOW)
    told = {line["id"]: line for line in lines(root)}
    assert set(told) == {str(sent), str(refused)}
    line = told[str(sent)]
    assert (line["channel"], line["state"], line["reason"], line["to"]) == ("e-mail", "sent", "", "ana@example.com")
    assert (line["template"], line["version"], line["language"]) == ("welcome", "1", "pt")
    assert (line["brand"], line["connector"], line["purpose"]) == ("acme", "mail", world.purpose.key)
    assert line["asked for at"] == "2026-03-02T12:00:00+00:00"
    assert (told[str(refused)]["state"], told[str(refused)]["reason"]) == ("suppressed", "no consent")


def test_it_is_narrowed_and_searched_as_the_list_is(root: Client, world: World) -> None:
    sent = world.queue(world.person())
    other = world.queue(world.person("rui@example.com", granted=False))
    dispatch_due(world.connector.pk, NOW)
    assert [line["id"] for line in lines(root, outcome="not_sent")] == [str(other)]
    assert [line["id"] for line in lines(root, q="ana@example.com")] == [str(sent)]
    page = root.get(reverse("admin:channels_message_changelist"), {"outcome": "not_sent"}).content.decode()
    assert f'href="{reverse(EXPORT)}?outcome=not_sent"' in page


def test_more_than_one_piece_has_every_line_once(root: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_AT_ONCE", 3)
    person = world.person()
    made = {str(world.queue(person)) for _number in range(7)}
    found = [line["id"] for line in lines(root)]
    assert (len(found), set(found)) == (7, made)


def test_a_longer_list_ends_with_a_line_that_says_so(
    root: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST", 2)
    person = world.person()
    made = {str(world.queue(person)) for _number in range(2)}
    assert {line["id"] for line in lines(root)} == made
    made.add(str(world.queue(person)))
    *found, last = [line["id"] for line in lines(root)]
    assert (len(found), set(found) < made) == (2, True)
    assert last == "There are more: a file holds 2 messages. Narrow the list for the others."
    assert "at most 2" in root.get(reverse("admin:channels_message_changelist")).content.decode()


def test_no_cell_is_a_formula(root: Client, world: World) -> None:
    message = world.queue(world.person())
    Message.objects.filter(pk=message).update(detail="=HYPERLINK(1)", provider_id="@sum")
    [line] = lines(root)
    assert (line["detail"], line["provider's id"]) == ("'=HYPERLINK(1)", "'@sum")


def test_who_may_not_read_personal_data_gets_it_masked(world: World) -> None:
    message = world.queue(world.person())
    Message.objects.filter(pk=message).update(detail="no such user ana")
    [line] = lines(reader(world))
    assert (line["to"], line["detail"]) == ("a•••@e•••", "•••")


def test_who_may_read_it_reads_it(world: World) -> None:
    world.queue(world.person())
    [line] = lines(reader(world, "view_pii"))
    assert line["to"] == "ana@example.com"


def test_another_brands_messages_are_not_in_it(world: World) -> None:
    world.queue(world.person())
    stranger = User.objects.create_user("stranger", is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="view_message"))
    client = Client()
    client.force_login(stranger)
    assert lines(client) == []


def test_who_may_not_see_messages_is_refused_and_nothing_is_noted(client: Client, world: World) -> None:
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert client.get(reverse(EXPORT)).status_code == 403
    assert not AuditEntry.objects.filter(action="export").exists()


def test_it_is_on_the_audit_trail_without_whom_was_sought(root: Client, world: World) -> None:
    lines(root, outcome="sent", q="ana@example.com")
    entry = AuditEntry.objects.get(action="export")
    assert (entry.object_type, entry.after) == ("channels.message", {"filters": {"outcome": ["sent"]}})


def test_a_filter_that_there_is_not_leads_back_to_the_list(root: Client, world: World) -> None:
    assert root.get(reverse(EXPORT), {"address__value__startswith": "a"}).status_code == 400
    answer = root.get(reverse(EXPORT), {"copy_key": "a"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:channels_message_changelist"))
    assert not AuditEntry.objects.filter(action="export").exists()


def test_it_is_only_asked_for_by_get(root: Client, world: World) -> None:
    assert root.post(reverse(EXPORT)).status_code == 405
