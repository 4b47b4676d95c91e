"""Partner tokens at the staff pages: issued and shown once, rotated and revoked, by who looks after the brand."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import tokens
from customers.clock import utcnow
from customers.models import AuditEntry, Brand, PartnerToken, Source

pytestmark = pytest.mark.django_db

LIST = "admin:customers_partnertoken_changelist"
ADD = "admin:customers_partnertoken_add"
SHOWN = re.compile(r"trilha_(?:live|test)_[\w-]{43}")


@pytest.fixture
def keeper(source: Source) -> Client:
    """Looks after the brand, and may make and end tokens."""
    return staff("keeper", source.brand, "view_brand", "change_brand")


def staff(name: str, brand: Brand, *rights: str) -> Client:
    user = get_user_model().objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="partnertoken"))
    for right in rights:
        assign_perm(right, user, brand)
    client = Client()
    client.force_login(user)
    return client


def filled(source: Source, **changes: Any) -> dict[str, Any]:
    ends = utcnow() + timedelta(days=30)
    return {
        "name": "Till",
        "brand": str(source.brand_id),
        "sources": [str(source.pk)],
        "mode": "live",
        "scopes": ["events:write", "customers:read"],
        "per_minute": "60",
        "expires_at_0": f"{ends:%Y-%m-%d}",
        "expires_at_1": f"{ends:%H:%M:%S}",
        **changes,
    }


def shown(answer: Any) -> list[str]:
    return SHOWN.findall(answer.content.decode())


def test_a_token_is_shown_once(keeper: Client, source: Source) -> None:
    answer = keeper.post(reverse(ADD), filled(source), follow=True)
    (plaintext,) = set(shown(answer))
    partner = tokens.find(plaintext, utcnow())
    assert partner is not None
    assert partner.scopes == {"events:write", "customers:read"}
    assert (partner.sources, partner.per_minute) == ({"shop": source.pk}, 60)
    token = PartnerToken.objects.get()
    for page in (reverse(LIST), reverse("admin:customers_partnertoken_change", args=[token.pk])):
        text = keeper.get(page).content.decode()
        assert token.prefix in text
        assert SHOWN.search(text) is None


def test_the_trail_tells_who_made_it_and_not_what_it_is(keeper: Client, source: Source) -> None:
    (plaintext,) = set(shown(keeper.post(reverse(ADD), filled(source), follow=True)))
    entry = AuditEntry.objects.get(object_type="customers.partnertoken")
    assert entry.actor is not None
    assert entry.after is not None
    assert (entry.action, entry.actor.get_username(), entry.brand_id) == ("add", "keeper", source.brand_id)
    assert entry.after["scopes"] == ["customers:read", "events:write"]
    written = f"{entry.before} {entry.after}"
    assert plaintext not in written
    assert plaintext[18:] not in written


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": []}, {"scopes": ["everything"]}, {"sources": []}, {"expires_at_0": "2020-01-01"}, {"per_minute": "0"}],
    ids=["no scope", "unknown scope", "no source", "past", "no calls"],
)
def test_what_cannot_be_a_token_is_not_made(keeper: Client, source: Source, wrong: dict[str, Any]) -> None:
    assert keeper.post(reverse(ADD), filled(source, **wrong)).status_code == 200
    assert not PartnerToken.objects.exists()


def test_a_token_has_no_source_of_another_brand(keeper: Client, source: Source) -> None:
    foreign = Source.objects.create(brand=Brand.objects.create(key="other", name="Other"), key="s", name="S")
    for wrong in ({"sources": [str(foreign.pk)]}, {"brand": str(foreign.brand_id), "sources": [str(foreign.pk)]}):
        keeper.post(reverse(ADD), filled(source, **wrong))
    assert not PartnerToken.objects.exists()


def test_who_only_sees_the_brand_makes_no_token(source: Source) -> None:
    member = staff("member", source.brand, "view_brand")
    answer = member.post(reverse(ADD), filled(source))
    assert answer.status_code == 403
    assert not PartnerToken.objects.exists()


def act(client: Client, action: str, *chosen: PartnerToken) -> Any:
    keys = [str(token.pk) for token in chosen]
    return client.post(reverse(LIST), {"action": action, "_selected_action": keys}, follow=True)


def make(source: Source) -> tuple[PartnerToken, str]:
    now = utcnow()
    return tokens.issue(
        brand_id=source.brand_id, sources=[source], name="Till", scopes=["events:write"], now=now,
        expires_at=now + timedelta(days=30),
    )  # fmt: skip


def test_a_token_is_revoked_at_once(keeper: Client, source: Source) -> None:
    token, plaintext = make(source)
    act(keeper, "revoke", token)
    assert tokens.find(plaintext, utcnow()) is None
    entry = AuditEntry.objects.get(action="revoke")
    assert (entry.object_id, entry.before) == (str(token.pk), {"revoked_at": None})
    assert entry.after is not None
    assert entry.after["revoked_at"] is not None


def test_rotating_shows_the_successor_once_and_leaves_a_week(keeper: Client, source: Source) -> None:
    token, before = make(source)
    (after,) = set(shown(act(keeper, "rotate", token)))
    soon, later = utcnow() + timedelta(days=6), utcnow() + timedelta(days=8)
    assert [tokens.find(text, soon) is not None for text in (before, after)] == [True, True]
    assert [tokens.find(text, later) is not None for text in (before, after)] == [False, True]
    assert set(AuditEntry.objects.filter(object_type="customers.partnertoken").values_list("action", flat=True)) == {
        "rotate", "add",
    }  # fmt: skip


def test_a_stranger_ends_no_token(source: Source) -> None:
    token, plaintext = make(source)
    other = Brand.objects.create(key="other", name="Other")
    for client in (staff("stranger", other, "view_brand", "change_brand"), staff("m", source.brand, "view_brand")):
        for action in ("revoke", "rotate"):
            act(client, action, token)
    assert tokens.find(plaintext, utcnow()) is not None
    assert PartnerToken.objects.count() == 1


def test_a_token_is_never_edited(keeper: Client, source: Source) -> None:
    token, _plaintext = make(source)
    page = reverse("admin:customers_partnertoken_change", args=[token.pk])
    answer = keeper.post(page, filled(source, scopes=["runs:write"], name="Mine"))
    token.refresh_from_db()
    assert (answer.status_code, token.scopes, token.name) == (403, ["events:write"], "Till")
