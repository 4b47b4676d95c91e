"""Credentials open with the ring's keys, in the place they were sealed for, and nowhere else."""

import pytest
from pytest_django import Settings

from channels.secrets import SecretError, is_current, open_sealed, seal

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "channels_connector:1:credentials"


def test_what_was_sealed_opens(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"new": NEW}
    sealed = seal({"password": "hush"}, PLACE)
    assert b"hush" not in sealed
    assert open_sealed(sealed, PLACE) == {"password": "hush"}
    assert seal({"password": "hush"}, PLACE) != sealed


def test_nothing_sealed_is_an_empty_secret() -> None:
    assert open_sealed(b"", PLACE) == {}


def test_an_old_key_still_opens_after_rotation(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"old": OLD}
    sealed = seal({"password": "hush"}, PLACE)
    settings.CREDENTIAL_KEYS = {"new": NEW, "old": OLD}
    assert open_sealed(sealed, PLACE) == {"password": "hush"}
    assert not is_current(sealed)
    assert is_current(seal({}, PLACE))


def test_a_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(SecretError):
        open_sealed(seal({"password": "hush"}, PLACE), "channels_connector:2:credentials")


def test_a_value_whose_key_is_gone_does_not_open(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"old": OLD}
    sealed = seal({}, PLACE)
    settings.CREDENTIAL_KEYS = {"new": NEW}
    with pytest.raises(SecretError):
        open_sealed(sealed, PLACE)


@pytest.mark.parametrize("place", [0, 1, 2, -1])
def test_changed_bytes_do_not_open(place: int) -> None:
    sealed = bytearray(seal({"password": "hush"}, PLACE))
    sealed[place] ^= 1
    with pytest.raises(SecretError):
        open_sealed(bytes(sealed), PLACE)


@pytest.mark.parametrize("value", [b"\x01", b"\x01\x0b", b"plain text", b"\x02\x00"])
def test_what_was_never_sealed_does_not_open(value: bytes) -> None:
    with pytest.raises(SecretError):
        open_sealed(value, PLACE)
