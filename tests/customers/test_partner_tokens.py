"""Tokens: shown once, found by their digest, ended at once, rotated with an overlap, counted exactly."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connections

from customers import tokens
from customers.models import Brand, PartnerToken, Source
from customers.tokens import NotIssued
from tests.customers.partner_api import NOW, issue

DAY = timedelta(days=1)


def find(plaintext: str, now=NOW):
    return tokens.find(plaintext, now)


def test_only_the_digest_and_the_beginning_of_a_token_are_kept(source: Source) -> None:
    token, plaintext = issue(source)
    token.refresh_from_db()
    assert bytes(token.digest) == sha256(plaintext.encode()).digest()
    assert plaintext.startswith("trilha_live_")
    assert plaintext.startswith(token.prefix)
    assert (len(token.prefix), len(plaintext)) == (18, 55)


def test_a_token_finds_its_partner(source: Source) -> None:
    token, plaintext = issue(source, scopes=["events:write"], per_minute=7)
    partner = find(plaintext)
    assert partner is not None
    assert (partner.token_id, partner.brand_id, partner.per_minute) == (token.pk, source.brand_id, 7)
    assert (partner.scopes, partner.sources) == ({"events:write"}, {"shop": source.pk})
    assert find(plaintext + "x") is None


def test_an_expired_token_finds_nobody(source: Source) -> None:
    _token, plaintext = issue(source, expires_at=NOW + DAY)
    assert find(plaintext, NOW + DAY - timedelta(microseconds=1)) is not None
    assert find(plaintext, NOW + DAY) is None


def test_a_revoked_token_finds_nobody_from_that_moment(source: Source, django_assert_num_queries) -> None:
    token, plaintext = issue(source)
    with django_assert_num_queries(2):
        # Nobody believes for a while what was read before: every process asks every time.
        assert find(plaintext)
        assert find(plaintext)
    tokens.revoke(token, NOW)
    assert find(plaintext) is None


def test_a_token_of_the_other_environment_finds_nobody(source: Source, settings) -> None:
    _token, plaintext = issue(source, mode="test")
    assert find(plaintext) is None
    settings.WRITE_KEY_MODE = "test"
    assert find(plaintext) is not None


def test_a_token_without_an_active_source_finds_nobody(source: Source) -> None:
    _token, plaintext = issue(source)
    source.is_active = False
    source.save()
    assert find(plaintext) is None


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"expires_at": NOW}, {"expires_at": NOW - DAY}], ids=["no scope", "ends now", "ended"]
)
def test_what_could_do_nothing_is_not_issued(source: Source, wrong) -> None:
    with pytest.raises(NotIssued):
        issue(source, **wrong)
    assert not PartnerToken.objects.exists()


def test_a_token_has_sources_of_its_own_brand_only(source: Source) -> None:
    foreign = Source.objects.create(brand=Brand.objects.create(key="other", name="Other"), key="shop", name="Shop")
    reserved = Source.objects.create(brand=source.brand, key="trilha", name="Trilha")
    for sources in ([source, foreign], [reserved], []):
        with pytest.raises(NotIssued):
            tokens.issue(
                brand_id=source.brand_id, sources=sources, name="x", scopes=["events:write"],
                expires_at=NOW + DAY, now=NOW,
            )  # fmt: skip
    assert not PartnerToken.objects.exists()


def test_rotation_leaves_both_good_until_the_overlap_has_passed(source: Source) -> None:
    old, before = issue(source, scopes=["consent:read"], per_minute=5)
    new, after = tokens.rotate(old, 7 * DAY, NOW + DAY)
    overlapping, later = NOW + 8 * DAY - timedelta(seconds=1), NOW + 8 * DAY
    assert find(before, overlapping)
    assert find(after, overlapping)
    assert find(before, later) is None
    successor = find(after, later)
    assert successor is not None
    assert (successor.scopes, successor.per_minute, successor.sources) == ({"consent:read"}, 5, {"shop": source.pk})
    assert (new.replaces_id, new.expires_at) == (old.pk, NOW + 91 * DAY)


def test_rotation_never_prolongs_the_old_token(source: Source) -> None:
    old, before = issue(source, expires_at=NOW + 2 * DAY)
    tokens.rotate(old, 7 * DAY, NOW + DAY)
    assert find(before, NOW + 2 * DAY) is None


def test_what_ended_or_has_a_successor_is_not_rotated(source: Source) -> None:
    once, _plaintext = issue(source)
    tokens.rotate(once, DAY, NOW)
    revoked, _plaintext = issue(source)
    tokens.revoke(revoked, NOW)
    for token in (once, revoked):
        with pytest.raises(NotIssued):
            tokens.rotate(token, DAY, NOW)
    assert PartnerToken.objects.count() == 3


def test_a_minute_begins_with_its_first_call(source: Source) -> None:
    partner = find(issue(source, per_minute=2)[1])
    assert partner is not None
    second = timedelta(seconds=1)
    assert tokens.count(partner, NOW).left == 1
    assert tokens.count(partner, NOW + 59 * second).left == 0
    refused = tokens.count(partner, NOW + 59 * second)
    assert (refused.left, refused.renews_in) == (None, second)
    assert tokens.count(partner, NOW + 60 * second).left == 1
    token = PartnerToken.objects.get()
    assert (token.used, token.window_at, token.last_used_at) == (1, NOW + 60 * second, NOW + 60 * second)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_as_many_pass_as_are_allowed() -> None:
    brand = Brand.objects.create(key="acme", name="Acme")
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    partner = find(issue(source, per_minute=10)[1])
    assert partner is not None

    def call(_n: int) -> int | None:
        try:
            return tokens.count(partner, NOW).left
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        left = list(pool.map(call, range(60)))
    assert sorted(one for one in left if one is not None) == list(range(10))
    assert left.count(None) == 50
