"""The pages of webhooks: a secret shown once, a mapping beside its sample, bodies found and interpreted anew."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers.hooks import secrets
from customers.models import AuditEntry, Hook, InboxItem, ReceivedBody, Source
from tests.customers.hooked import MAPPING, PAID, SECRET, Sender, interpret, make_hook
from tests.customers.segment_door import NOW

pytestmark = pytest.mark.django_db


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root() -> Client:
    return client_of(get_user_model().objects.create_superuser("root"))


@pytest.fixture
def hook(source: Source, monkeypatch: pytest.MonkeyPatch) -> Hook:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    return make_hook(source)


def mapping_page(hook: Hook) -> str:
    return reverse("admin:customers_hook_mapping", args=[hook.pk])


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def fields(source: Source, **changes: str) -> dict[str, str]:
    base = {"name": "Payments", "source": str(source.pk), "is_active": "on", "scheme": "standard", "per_minute": "600"}
    return {**base, "algorithm": "sha256", "encoding": "hex", **changes}


def test_a_new_hook_gets_a_secret_that_is_shown_once_and_sealed(root: Client, source: Source) -> None:
    answer = root.post(reverse("admin:customers_hook_add"), fields(source))
    hook = Hook.objects.get()
    [secret] = secrets.keys_of(hook)
    assert sum(secret in text for text in said(answer)) == 1
    page = root.get(reverse("admin:customers_hook_change", args=[hook.pk]), follow=True).content.decode()
    assert f"/hooks/{hook.pk}" in page
    assert secret not in root.get(reverse("admin:customers_hook_change", args=[hook.pk])).content.decode()
    assert not [entry for entry in AuditEntry.objects.all() if secret in json.dumps([entry.before, entry.after])]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"scheme": "hmac", "secret": "long enough"}, "header"),
        ({"scheme": "hmac", "header": "X-Sign"}, "secret"),
        ({"scheme": "hmac", "header": "X Sign", "secret": "long enough"}, "header"),
        ({"secret": "short"}, "secret"),
        ({"secret": "whsec_no base64"}, "secret"),
        ({"secret": "whsec_\u00e9\u00e9\u00e9\u00e9"}, "secret"),
    ],
)
def test_what_cannot_verify_anything_is_refused(
    root: Client, source: Source, changes: dict[str, str], name: str
) -> None:
    answer = root.post(reverse("admin:customers_hook_add"), fields(source, **changes))
    assert list(answer.context["adminform"].form.errors) == [name]
    assert Hook.objects.count() == 0


def test_secrets_change_over_and_the_older_are_forgotten(root: Client, hook: Hook) -> None:
    root.post(reverse("admin:customers_hook_change", args=[hook.pk]), fields(hook.source, secret="the new secret"))
    hook.refresh_from_db()
    assert secrets.keys_of(hook) == ("the new secret", SECRET)
    assert Sender(hook).post(PAID).status_code == 200
    chosen = {"action": "forget_older", "_selected_action": [str(hook.pk)]}
    root.post(reverse("admin:customers_hook_changelist"), chosen)
    hook.refresh_from_db()
    assert secrets.keys_of(hook) == ("the new secret",)
    assert Sender(hook).post(PAID).status_code == 401


def test_the_last_body_is_the_sample_and_its_events_are_shown(root: Client, hook: Hook) -> None:
    Sender(hook).post(PAID)
    page = root.get(mapping_page(hook))
    assert json.loads(page.context["sample"]) == PAID
    [event] = page.context["events"]
    assert "Payment Received" in event["item"]
    assert event["refusal"] is None


def test_a_preview_follows_what_is_typed_and_keeps_nothing(root: Client, hook: Hook) -> None:
    typed = {"mapping": json.dumps(MAPPING), "sample": json.dumps({**PAID, "customer": "anonymous"})}
    answer = root.post(mapping_page(hook), typed, headers={"X-Trilha-Part": "preview"})
    text = answer.content.decode()
    assert "<html" not in text
    assert "blocked_identifier" in text
    broken = {**typed, "mapping": '{"events": [{"key": "a"}]}'}
    assert "/events/0/name" in root.post(mapping_page(hook), {**broken, "preview": "1"}).content.decode()
    unhandled = {**typed, "sample": '{"type": "other"}'}
    assert root.post(mapping_page(hook), unhandled).context["seen"].unhandled
    hook.refresh_from_db()
    assert hook.mapping == MAPPING
    assert InboxItem.objects.count() == 0


def test_a_sound_mapping_is_kept_with_what_it_was_and_another_is_not(root: Client, hook: Hook) -> None:
    better = {"events": [{**MAPPING["events"][0], "name": {"constant": "Paid"}}]}
    wrong = root.post(mapping_page(hook), {"mapping": '{"events": []}', "sample": "", "save": "1"})
    assert wrong.status_code == 422
    answer = root.post(mapping_page(hook), {"mapping": json.dumps(better), "sample": "", "save": "1"})
    assert answer.status_code == 302
    hook.refresh_from_db()
    assert hook.mapping == better
    entry = AuditEntry.objects.order_by("-id").first()
    assert entry is not None
    assert entry.after == {"mapping": better}


def test_a_mapping_is_suggested_for_a_sample(root: Client, hook: Hook) -> None:
    page = root.post(mapping_page(hook), {"mapping": "{}", "sample": json.dumps({"email": "a@x.com"}), "suggest": "1"})
    assert json.loads(page.context["mapping"])["events"][0]["identifiers"] == {"email": "/email"}


def test_bodies_are_interpreted_anew_from_their_list(root: Client, hook: Hook) -> None:
    Hook.objects.update(mapping={"events": []})
    Sender(hook).post(PAID)
    interpret()
    body = ReceivedBody.objects.get()
    assert (body.status, body.reason) == ("failed", "invalid_mapping")
    assert "no_events" in json.dumps(body.problems)
    page = root.get(reverse("admin:customers_receivedbody_change", args=[body.pk])).content.decode()
    assert "The mapping makes nothing." in page
    Hook.objects.update(mapping=MAPPING)
    chosen = {"action": "replay", "_selected_action": [str(body.pk)]}
    root.post(reverse("admin:customers_receivedbody_changelist"), chosen)
    interpret()
    body.refresh_from_db()
    assert body.status == "done"


def test_who_may_not_read_personal_data_gets_no_sample_and_may_not_change(source: Source, hook: Hook) -> None:
    reader = get_user_model().objects.create_user("reader", is_staff=True)
    for codename in ("view_hook", "view_receivedbody"):
        reader.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="customers"))
    assign_perm("customers.view_brand", reader, source.brand)
    assign_perm("view_brand", reader, source.brand)
    Sender(hook).post(PAID)
    page = client_of(reader).get(mapping_page(hook))
    assert page.status_code == 200
    assert page.context["sample"] == ""
    saved = client_of(reader).post(mapping_page(hook), {"mapping": json.dumps(MAPPING), "save": "1"})
    assert saved.status_code == 403
    body = ReceivedBody.objects.get()
    shown = client_of(reader).get(reverse("admin:customers_receivedbody_change", args=[body.pk])).content.decode()
    assert "user-1" not in shown


def test_strangers_find_no_hook(hook: Hook) -> None:
    stranger = get_user_model().objects.create_user("stranger", is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="view_hook"))
    assert client_of(stranger).get(mapping_page(hook)).status_code == 302
