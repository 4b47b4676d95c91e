"""Rotating a key: two are good for a while, the old one ends by itself, and its last use is known."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from customers import clock, keys
from customers.models import Source, WriteKey
from tests.customers.segment_door import NOW

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_both_keys_are_good_until_the_old_one_ends(source: Source) -> None:
    old, old_text = keys.issue(source)
    new, new_text = keys.rotate(old, NOW + DAY, NOW)
    assert (new.source_id, new.mode, new.replaces_id, new.expires_at) == (source.pk, "live", old.pk, None)
    assert keys.find(old_text, NOW + DAY - SECOND) is not None
    assert keys.find(new_text, NOW) is not None
    assert keys.find(old_text, NOW + DAY) is None
    assert keys.find(new_text, NOW + DAY) is not None


def test_an_end_that_is_nearer_is_not_put_off(source: Source) -> None:
    old, _text = keys.issue(source)
    WriteKey.objects.update(expires_at=NOW + SECOND)
    keys.rotate(old, NOW + DAY, NOW)
    old.refresh_from_db()
    assert old.expires_at == NOW + SECOND


@pytest.mark.parametrize("change", [{"revoked_at": NOW}, {"expires_at": NOW}])
def test_a_key_that_has_ended_is_not_rotated(source: Source, change: dict[str, Any]) -> None:
    old, _text = keys.issue(source)
    WriteKey.objects.update(**change)
    with pytest.raises(keys.NotRotated):
        keys.rotate(old, NOW + DAY, NOW)
    assert WriteKey.objects.count() == 1


def test_a_key_has_one_successor_at_a_time(source: Source) -> None:
    old, _text = keys.issue(source)
    new, _new_text = keys.rotate(old, NOW + DAY, NOW)
    with pytest.raises(keys.NotRotated):
        keys.rotate(old, NOW + DAY, NOW)
    # One that leaked at once is revoked, and the old one may have another.
    keys.revoke(new, NOW)
    assert keys.rotate(old, NOW + DAY, NOW)[0].replaces_id == old.pk


def test_a_browser_s_key_is_followed_by_one_for_the_same_pages(source: Source) -> None:
    old = keys.issue_browser(source, ["https://acme.example"])
    new, text = keys.rotate(old, NOW + DAY, NOW)
    assert (new.kind, new.origins, new.public, new.replaces_id) == ("browser", ["https://acme.example"], text, old.pk)
    WriteKey.objects.filter(pk=new.pk).delete()
    assert keys.may_ask("https://acme.example", NOW)
    keys.forget()
    assert not keys.may_ask("https://acme.example", NOW + DAY)


def test_the_last_use_is_known_to_the_minute(source: Source) -> None:
    key, text = keys.issue(source)

    def used(after: timedelta) -> timedelta:
        keys.find(text, NOW + after)
        key.refresh_from_db()
        assert key.last_used_at is not None
        return key.last_used_at - NOW

    assert used(0 * SECOND) == 0 * SECOND
    assert used(59 * SECOND) == 0 * SECOND
    assert used(60 * SECOND) == 60 * SECOND


def test_a_wrong_key_is_used_by_nobody(source: Source) -> None:
    key, text = keys.issue(source)
    keys.find(text + "x", NOW)
    key.refresh_from_db()
    assert key.last_used_at is None


def test_staff_rotate_in_the_list_and_see_the_new_key_once(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    client = Client()
    root = get_user_model().objects.create_superuser("root")
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    old, _text = keys.issue(source, WriteKey.Mode.TEST)
    found = reverse("admin:customers_writekey_changelist")
    answer = client.post(found, {"action": "rotate_in_a_week", "_selected_action": [str(old.pk)]})
    [told] = [str(message) for message in get_messages(answer.wsgi_request)]
    old.refresh_from_db()
    new = WriteKey.objects.get(replaces=old)
    assert old.expires_at == NOW + 7 * DAY
    assert f"The key is {new.prefix}" in told
    assert new.mode == "test"
    answer = client.post(found, {"action": "rotate_in_a_week", "_selected_action": [str(old.pk)]})
    assert "has a successor already" in " ".join(str(message) for message in get_messages(answer.wsgi_request))
    assert WriteKey.objects.count() == 2
