"""A body is believed only with a signature over its bytes; the examples are those of the schemes' own documents."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from customers.hooks.signatures import BadSignature, Signing, key_bytes, new_secret, verify
from tests.customers.hooked import SECRET, standard

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = b'{"test": 2432232314}'
STANDARD = Signing("standard", "", "sha256", "base64", "", (SECRET,))
GITHUB = Signing("hmac", "X-Hub-Signature-256", "sha256", "hex", "sha256=", ("It's a Secret to Everybody",))


def is_good(signing: Signing, headers: dict[str, str], body: bytes = BODY, now: datetime = NOW) -> bool:
    try:
        verify(signing, headers, body, now)
    except BadSignature:
        return False
    return True


def test_the_example_of_standard_webhooks() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    assert verify(STANDARD, headers, BODY, at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert not is_good(STANDARD, headers, BODY + b" ", at)


def test_the_example_of_github() -> None:
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_good(GITHUB, {"x-hub-signature-256": told}, b"Hello, World!")
    assert not is_good(GITHUB, {"x-hub-signature-256": told.removeprefix("sha256=")}, b"Hello, World!")
    assert not is_good(GITHUB, {}, b"Hello, World!")


def test_a_header_in_base64_as_shopify_sends_it() -> None:
    signing = Signing("hmac", "X-Shopify-Hmac-Sha256", "sha256", "base64", "", ("hush",))
    told = "Zm9vYmFy"
    assert not is_good(signing, {"x-shopify-hmac-sha256": told})
    told = base64.b64encode(hmac.digest(b"hush", BODY, "sha256")).decode()
    assert is_good(signing, {"x-shopify-hmac-sha256": told})


def test_time_and_body_in_one_header() -> None:
    signing = Signing("timed", "Stripe-Signature", "sha256", "hex", "", ("whsec_test", "old"))
    signing = replace(signing, keys=("new", "old"))
    at = int(NOW.timestamp())
    signed = hmac.digest(b"old", f"{at}.".encode() + BODY, "sha256").hex()
    assert is_good(signing, {"stripe-signature": f"t={at},v1={'0' * 64},v1={signed},v0=x"})
    assert not is_good(signing, {"stripe-signature": f"t={at + 1},v1={signed}"})
    assert not is_good(signing, {"stripe-signature": f"v1={signed}"})
    assert not is_good(signing, {"stripe-signature": f"t={at},t={at},v1={signed}"})


def test_any_of_several_secrets_and_signatures_will_do() -> None:
    other = new_secret()
    both = replace(STANDARD, keys=(other, SECRET))
    headers = standard(SECRET, "m-1", NOW, BODY)
    assert is_good(both, headers)
    assert not is_good(replace(STANDARD, keys=(other,)), headers)
    assert not is_good(replace(STANDARD, keys=()), headers)
    several = {**headers, "webhook-signature": f"v1a,xx v1,AAAA {headers['webhook-signature']}"}
    assert is_good(STANDARD, several)


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_what_was_signed_long_ago_or_ahead_is_not_believed(away: timedelta) -> None:
    assert not is_good(STANDARD, standard(SECRET, "m-1", NOW + away, BODY))
    assert is_good(STANDARD, standard(SECRET, "m-1", NOW + away * 0.8, BODY))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "m-2"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 201},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 30},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": "v2," + "A" * 44},
    ],
)
def test_no_part_of_it_can_be_changed(change: dict[str, str]) -> None:
    assert not is_good(STANDARD, {**standard(SECRET, "m-1", NOW, BODY), **change})


def test_a_new_secret_has_256_bits() -> None:
    assert len(key_bytes(new_secret())) == 32
    assert new_secret() != new_secret()
