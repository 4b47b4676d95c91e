"""Two spellings of one identifier are one value, look-alikes are not, and placeholders are nobody."""

from typing import Any

import pytest

from customers.identifiers import IdentifierError, scheme

EMAIL, USER_ID = "email", "opaque"


def normalise(key: str, value: str, region: str = "") -> tuple[str, str]:
    return scheme(key).read(value, region)


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


@pytest.mark.parametrize(
    ("value", "region", "number"),
    [
        ("+55 11 91234-5678", "", "+5511912345678"),
        ("11 91234-5678", "BR", "+5511912345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("tel:+55-11-91234-5678", "", "+5511912345678"),
        ("+\uff15\uff1511912345678", "", "+5511912345678"),
        ("+\u0665\u0665\u0661\u0661912345678", "", "+5511912345678"),
        ("+55\u200b11912345678", "", "+5511912345678"),
        ("+55 11 3333-4444", "", "+551133334444"),
    ],
)
def test_a_phone_is_compared_as_e164(value: str, region: str, number: str) -> None:
    assert normalise("phone", value, region) == (number, value)


@pytest.mark.parametrize(
    ("value", "region", "code"),
    [
        ("11 91234-5678", "", "phone_without_country"),
        ("+55 11 8234-5678", "", "phone_invalid"),
        ("+5511912345678;ext=5", "", "phone_with_extension"),
        ("190", "BR", "phone_type_not_allowed"),
        ("+1 900 555 1234", "", "phone_type_not_allowed"),
        ("+61 1300 123 456", "", "phone_type_not_allowed"),
        ("call me", "", "phone_invalid"),
        ("+0 11 98765", "", "phone_without_country"),
        ("0", "BR", "blocked_identifier"),
        ("1" * 61, "", "identifier_too_long"),
    ],
)
def test_refuses_what_is_nobodys_phone(value: str, region: str, code: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise("phone", value, region)
    assert caught.value.code == code


def test_an_old_brazilian_mobile_is_told_what_it_lacks() -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise("phone", "+55 11 8234-5678")
    assert caught.value.hint == "Add the 9 that mobile numbers in Brazil begin with."


def test_numbers_that_nobody_can_have_are_taken_where_things_are_tried_out(settings: Any) -> None:
    settings.TEST_PHONE_PREFIXES = ["+61555"]
    assert normalise("phone", "+61 555 000 123") == ("+61555000123", "+61 555 000 123")
    settings.TEST_PHONE_PREFIXES = []
    assert refusal("phone", "+61 555 000 123") == "phone_invalid"


@pytest.mark.parametrize(
    ("key", "value", "number"),
    [
        ("cpf", "111.444.777-35", "11144477735"),
        ("cnpj", "12.ABC.345/01DE-35", "12ABC34501DE35"),
        ("cnpj", "11.222.333/0001-81", "11222333000181"),
        ("abn", "51 824 753 556", "51824753556"),
    ],
)
def test_a_states_number_is_compared_without_separators(key: str, value: str, number: str) -> None:
    assert normalise(key, value) == (number, value)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("cpf", "111.444.777-36", "number_invalid"),
        ("cpf", "000.000.000-00", "blocked_identifier"),
        ("cpf", "111.111.111-11", "blocked_identifier"),
        ("cpf", "11144477735; DROP", "number_invalid"),
        ("cnpj", "11.222.333/0001-82", "number_invalid"),
        ("abn", "1" * 41, "identifier_too_long"),
    ],
)
def test_refuses_a_states_number_that_does_not_add_up(key: str, value: str, code: str) -> None:
    assert refusal(key, value) == code
