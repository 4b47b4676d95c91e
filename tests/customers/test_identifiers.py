"""Two spellings of one identifier are one value, look-alikes are not, and placeholders are nobody."""

import pytest

from customers.identifiers import EMAIL, USER_ID, IdentifierError, normalise


def refusal(kind: str, value: str) -> str:
    with pytest.raises(IdentifierError) as caught:
        normalise(kind, value)
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "normalised", "original"),
    [
        ("Ana@X.com ", "ana@x.com", "Ana@X.com"),
        ("O'Neil+tag@Example.ORG", "o'neil+tag@example.org", "O'Neil+tag@Example.ORG"),
        ("a@bücher.de", "a@xn--bcher-kva.de", "a@bücher.de"),
        ("joa\u0303o@x.com", "jo\u00e3o@x.com", "joa\u0303o@x.com"),
        ("É@x.com", "É@x.com", "É@x.com"),
    ],
)
def test_an_email_is_compared_in_one_spelling_and_kept_as_given(value: str, normalised: str, original: str) -> None:
    assert normalise(EMAIL, value) == (normalised, original)


def test_a_homograph_domain_is_another_domain() -> None:
    assert normalise(EMAIL, "a@\u0435xample.com")[0] == "a@xn--xample-2of.com"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("\u212aelvin@x.com", "email_not_canonical"),
        ("\u0131@x.com", "email_not_canonical"),
        ("\u017f@x.com", "email_not_canonical"),
        ("\uff41na@x.com", "email_not_canonical"),
        ("a@ex\u200bample.com", "invalid_email"),
        ("a@b, c@d", "not_one_address"),
        ('"x, y@z" <a@b>', "not_one_address"),
        ("a@x.com\nBcc: b@y.com", "not_one_address"),
        ("a" * 65 + "@x.com", "invalid_email"),
        ("a@" + "b." * 130 + "com", "invalid_email"),
        ("t@localhost", "invalid_email"),
        ("t@[127.0.0.1]", "invalid_email"),
        ("ana", "invalid_email"),
        ("a" * 10_000, "identifier_too_long"),
        ("test@test.com", "blocked_identifier"),
        ("", "blocked_identifier"),
    ],
)
def test_refuses_what_is_no_single_address(value: str, code: str) -> None:
    assert refusal(EMAIL, value) == code


@pytest.mark.parametrize(
    "value", ["", " ", "null", "Undefined", "0", "-1", "anonymous", "000.000.000-00", "test@test.com"]
)
def test_placeholders_are_nobody(value: str) -> None:
    assert refusal(USER_ID, value) == "blocked_identifier"


@pytest.mark.parametrize("value", ["a\u202eb", "a\u200bb", "a\x07b", "a\nb", "a\u2028b"])
def test_unseen_characters_are_refused(value: str) -> None:
    assert refusal(USER_ID, value) == "control_character"


def test_a_look_alike_of_another_id_is_refused() -> None:
    assert refusal(USER_ID, "\u212aelvin") == "identifier_not_canonical"


def test_an_id_is_at_most_254_characters_long() -> None:
    assert normalise(USER_ID, "x" * 254)[0] == "x" * 254
    assert refusal(USER_ID, "x" * 255) == "identifier_too_long"


@pytest.mark.parametrize("value", ["a/b", "😀", " a", "10", "Ana"])
def test_another_systems_id_is_kept_exactly(value: str) -> None:
    assert normalise(USER_ID, value) == (value, value)


def test_a_composed_and_a_decomposed_id_are_one() -> None:
    assert normalise(USER_ID, "joa\u0303o")[0] == normalise(USER_ID, "jo\u00e3o")[0]
