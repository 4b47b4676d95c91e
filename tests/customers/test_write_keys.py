"""Keys are shown once, kept as digests, and end when they are revoked."""

from datetime import timedelta
from hashlib import sha256

import pytest

from customers import keys
from customers.models import Brand, Source, WriteKey
from tests.customers.segment_door import NOW

SECOND = timedelta(seconds=1)


def test_only_the_digest_and_the_beginning_of_a_key_are_kept(source: Source) -> None:
    key, plaintext = keys.issue(source)
    key.refresh_from_db()
    assert bytes(key.digest) == sha256(plaintext.encode()).digest()
    assert plaintext.startswith(key.prefix)
    assert (key.mode, len(key.prefix), len(plaintext)) == ("live", 12, 48)


def test_a_key_finds_its_source(source: Source) -> None:
    _key, plaintext = keys.issue(source)
    writer = keys.find(plaintext, NOW)
    assert writer == keys.Writer(source.id, source.brand_id, source.brand_id, refuses_unplanned=False)
    assert keys.find(plaintext + "x", NOW) is None


def test_a_key_is_read_once_a_second(source: Source, django_assert_num_queries) -> None:
    _key, plaintext = keys.issue(source)
    # And once a minute it is noted that it was used.
    with django_assert_num_queries(3):
        keys.find(plaintext, NOW)
        keys.find(plaintext, NOW + SECOND * 0.9)
        keys.find(plaintext, NOW + SECOND)


def test_a_revoked_key_ends_here_at_once_and_elsewhere_within_a_second(source: Source) -> None:
    key, plaintext = keys.issue(source)
    keys.find(plaintext, NOW)
    WriteKey.objects.update(revoked_at=NOW)  # as another process would
    assert keys.find(plaintext, NOW + SECOND) is None
    WriteKey.objects.update(revoked_at=None)
    assert keys.find(plaintext, NOW + 2 * SECOND) is not None
    keys.revoke(key, NOW)
    assert keys.find(plaintext, NOW + 2 * SECOND) is None


def test_a_key_of_the_other_environment_is_none(source: Source, settings) -> None:
    _key, plaintext = keys.issue(source, WriteKey.Mode.TEST)
    assert keys.find(plaintext, NOW) is None
    settings.WRITE_KEY_MODE = "test"
    assert keys.find(plaintext, NOW) is not None


def test_an_inactive_source_has_no_valid_key(source: Source) -> None:
    _key, plaintext = keys.issue(source)
    Source.objects.update(is_active=False)
    assert keys.find(plaintext, NOW) is None


def test_no_key_writes_to_the_reserved_source(db: None) -> None:
    brand = Brand.objects.create(key="acme", name="Acme")
    reserved = Source.objects.create(brand=brand, key=Source.RESERVED_KEY, name="Trilha")
    with pytest.raises(ValueError, match="reserved"):
        keys.issue(reserved)
