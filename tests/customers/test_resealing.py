"""Changing the key that secrets are sealed by: afterwards the old one can be thrown away."""

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels.models import Connector
from channels.secrets import place, seal
from consent.models import Erasure, PrivacyArchive, PrivacyRequest
from consent.privacy import erasure, export
from customers import resealing, sealing
from customers.hooks import secrets
from customers.log_in import two_factor
from customers.models import Authenticator, Hook, Source
from customers.sealing import SecretError, is_current, open_sealed
from tests.customers.hooked import SECRET, Sender, make_hook
from tests.customers.segment_door import NOW

pytestmark = pytest.mark.django_db

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def sealed_before(source: Source, settings: Settings) -> tuple[Hook, Connector, Authenticator]:
    """One secret of each kind under the old key, which is still on the ring."""
    settings.CREDENTIAL_KEYS = {"old": OLD}
    hook = make_hook(source)
    connector = Connector(brand=source.brand, key="mail", name="Mail", channel="email", provider="smtp")
    connector.credentials = seal({"password": "hush"}, place(connector))
    connector.save()
    user = get_user_model().objects.create_user("ana")
    authenticator = two_factor.begin(user, NOW)
    settings.CREDENTIAL_KEYS = {"new": NEW, "old": OLD}
    return hook, connector, authenticator


def test_every_secret_opens_without_the_old_key_afterwards(
    sealed_before: tuple[Hook, Connector, Authenticator], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, connector, authenticator = sealed_before
    secret = open_sealed(bytes(authenticator.secret), two_factor.place(authenticator))
    told = StringIO()
    call_command("reseal", stdout=told)
    settings.CREDENTIAL_KEYS = {"new": NEW}
    for row in sealed_before:
        row.refresh_from_db()
    assert secrets.keys_of(hook) == (SECRET,)
    assert open_sealed(bytes(connector.credentials), place(connector)) == {"password": "hush"}
    assert open_sealed(bytes(authenticator.secret), two_factor.place(authenticator)) == secret
    assert told.getvalue().count("0 current, 1 under another key, 0 that do not open") == 3
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    assert Sender(hook).post({"type": "ping"}).status_code == 200
    assert {name: (count.current, count.moved) for name, count in resealing.reseal().items()} == {
        "channels_connector.credentials": (1, 0),
        "channels_pulledhost.secret": (0, 0),
        "channels_pushsubscription.keys": (0, 0),
        "channels_webhookendpoint.secrets": (0, 0),
        "consent_erasure.subject": (0, 0),
        "consent_privacyarchive.data": (0, 0),
        "customers_authenticator.secret": (1, 0),
        "customers_hook.secrets": (1, 0),
        "customers_visitorsecret.secret": (0, 0),
    }


def test_the_dry_run_counts_and_writes_nothing(sealed_before: tuple[Hook, Connector, Authenticator]) -> None:
    hook = sealed_before[0]
    assert resealing.reseal(only_count=True)["customers_hook.secrets"].moved == 1
    hook.refresh_from_db()
    assert not is_current(bytes(hook.secrets))


def test_what_does_not_open_is_named_and_costs_the_others_nothing(
    sealed_before: tuple[Hook, Connector, Authenticator], source: Source
) -> None:
    hook = sealed_before[0]
    foreign = Hook.objects.create(source=source, name="Moved", secrets=bytes(hook.secrets))
    with pytest.raises(CommandError, match=f"customers_hook.secrets {foreign.pk}"):
        call_command("reseal", stdout=StringIO())
    hook.refresh_from_db()
    foreign.refresh_from_db()
    assert is_current(bytes(hook.secrets))
    with pytest.raises(SecretError):
        secrets.keys_of(foreign)


def test_what_is_held_of_people_for_their_requests_follows_as_well(source: Source, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"old": OLD}
    request = PrivacyRequest.objects.create(
        brand=source.brand, kind="access", law="lgpd", channel="email", opened_at=NOW, due_on=NOW.date()
    )
    archive = PrivacyArchive(request=request, made_at=NOW, expires_at=NOW, size=3, digest="")
    archive.data = sealing.seal({"zip": "abc"}, export.place(archive))
    archive.save()
    erasing, done = (Erasure(brand=source.brand, begun_at=NOW) for _each in range(2))
    erasing.subject = sealing.seal({"names": ["ana"]}, erasure.place(erasing))
    erasing.save()
    done.save()
    settings.CREDENTIAL_KEYS = {"new": NEW, "old": OLD}
    counted = resealing.reseal()
    assert (counted["consent_privacyarchive.data"].moved, counted["consent_erasure.subject"].moved) == (1, 1)
    settings.CREDENTIAL_KEYS = {"new": NEW}
    for row in (archive, erasing, done):
        row.refresh_from_db()
    assert sealing.open_sealed(bytes(archive.data), export.place(archive)) == {"zip": "abc"}
    assert sealing.open_sealed(bytes(erasing.subject), erasure.place(erasing)) == {"names": ["ana"]}
    assert bytes(done.subject) == b""


def test_every_field_in_which_secrets_lie_follows_the_ring() -> None:
    """Whoever seals has a place, and says so to the ring: a field left out is lost with the old key."""
    assert set(resealing.fields()) == {
        "channels_connector.credentials",
        "channels_pulledhost.secret",
        "channels_pushsubscription.keys",
        "channels_webhookendpoint.secrets",
        "consent_erasure.subject",
        "consent_privacyarchive.data",
        "customers_authenticator.secret",
        "customers_hook.secrets",
        "customers_visitorsecret.secret",
    }
