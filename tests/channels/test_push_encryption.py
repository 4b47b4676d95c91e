"""The words of a push as RFC 8291 has them, by its own vectors, and keys as browsers write them."""

import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels.push.encryption import MOST_PLAIN, encrypt
from channels.push.endpoints import BadEndpoint, is_among, normal, origin_of
from channels.push.kinds import Kind, kind_of
from channels.push.points import encoded, point_of, private_of, public_of, read, written
from channels.push.vapid import Vapid
from tests.channels.world import NOW

# RFC 8291 §5 and Appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SENDER_PUBLIC = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7"
    "A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_vector_of_the_rfc_comes_out() -> None:
    body = encrypt(PLAIN, read(RECEIVER, 65), read(AUTH, 16), salt=read(SALT, 16), sender=private_of(SENDER))
    assert written(body) == BODY
    assert public_of(SENDER) == SENDER_PUBLIC


@pytest.mark.parametrize("length", [0, 1, 100, MOST_PLAIN])
def test_another_library_reads_what_is_written(length: int) -> None:
    private, auth, plain = ec.generate_private_key(ec.SECP256R1()), os.urandom(16), os.urandom(length)
    body = encrypt(plain, encoded(private.public_key()), auth)
    assert len(body) == length + 103
    assert http_ece.decrypt(body, private_key=private, auth_secret=auth, version="aes128gcm") == plain
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(body, private_key=private, auth_secret=os.urandom(16), version="aes128gcm")


def test_a_token_is_signed_once_for_each_service() -> None:
    vapid = Vapid(SENDER, "mailto:push@acme.example")
    first = vapid.authorization("https://a.example", NOW)
    assert vapid.authorization("https://a.example", NOW) == first
    assert vapid.authorization("https://b.example", NOW) != first
    assert first.endswith(f", k={SENDER_PUBLIC}")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 16),
        ("BTBZMqHH6r4Tts7J_aSI", 16),
        ("BTBZMqHH6r4Tts7J/aSIgg", 16),
        ("BTBZMqHH6r4Tts7J_aSIgh", 16),
        ("BTBZMqHH6r4Tts7J_aSIgg\n", 16),
        ("BTBZ MqHH6r4Tts7J_aSIgg", 16),
        (RECEIVER, 64),
    ],
)
def test_what_no_browser_writes_is_no_key(text: str, length: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are nobody's
        read(text, length)


def test_padding_is_taken_as_some_write_it() -> None:
    assert read(AUTH + "==", 16) == read(AUTH, 16)


@pytest.mark.parametrize(
    "point",
    [
        b"",
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
        b"\x02" + read(RECEIVER, 65)[1:33],
        b"\x05" + read(RECEIVER, 65)[1:],
        read(RECEIVER, 65)[:-1] + b"\x00",
    ],
)
def test_a_point_is_whole_and_on_the_curve(point: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are nobody's
        point_of(point)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://FCM.googleapis.com/fcm/send/aB:c", "https://fcm.googleapis.com/fcm/send/aB:c"),
        ("HTTPS://fcm.googleapis.com:443/x", "https://fcm.googleapis.com/x"),
        ("https://a.example:8443/x?token=1%2f2", "https://a.example:8443/x?token=1%2f2"),
        ("https://a.example", "https://a.example/"),
    ],
)
def test_an_endpoint_has_one_form(given: str, wanted: str) -> None:
    assert normal(given) == wanted
    assert normal(wanted) == wanted
    assert kind_of(wanted) is Kind.BROWSER


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:22/x",
        "https://me@fcm.googleapis.com/x",
        "https://fcm.googleapis.com/x#y",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/\u00e3",
        "https://fcm.googleapis.com/x\n",
        "https://fcm.googleapis.com\\@evil.example/x",
        "javascript:alert(1)",
        "https://fcm.googleapis.com/" + "a" * 1_000,
        "//fcm.googleapis.com/x",
    ],
)
def test_what_no_push_can_be_sent_to_is_no_endpoint(given: str) -> None:
    with pytest.raises(BadEndpoint):
        normal(given)


def test_a_service_is_its_host_and_those_below() -> None:
    named = ["push.apple.com"]
    assert is_among("https://push.apple.com/1", named)
    assert is_among("https://web.push.apple.com/1", named)
    assert not is_among("https://evilpush.apple.com/1", named)
    assert not is_among("https://push.apple.com.evil.example/1", named)
    assert is_among("https://whoever.example/1", [])
    assert origin_of("https://web.push.apple.com/1") == "https://web.push.apple.com"


def test_a_token_of_an_app_is_told_from_an_endpoint() -> None:
    assert kind_of("cJ8x:APA91bAna") is Kind.DEVICE
