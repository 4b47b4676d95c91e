"""What lenient parsers wave through is refused, each fault by its code and place."""

import pytest

from customers.accept import strict_json
from customers.accept.json_errors import locate
from customers.accept.refusal import Refused

DEEP = b'{"a":' * 33 + b"1" + b"}" * 33


def unparsed(body: bytes) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        strict_json.parse(body)
    return caught.value.refusal.code, caught.value.refusal.pointer


def fault(body: bytes) -> tuple[str, str] | None:
    document = strict_json.parse(body)
    found = strict_json.first_fault(strict_json.lossless(document))
    assert found is None or not strict_json.is_sound(document, [document.value])
    return (found.code, found.pointer) if found else None


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"user_id":1,"user_id":2}', "duplicate_key", "/user_id"),
        (b'{"batch":[{"a":1},\n{"p":{"c":1,"c":2}}]}', "duplicate_key", "/batch/1/p/c"),
        (b'{"a":{"k":[1]},"a":{"b":[2]}}', "duplicate_key", "/a"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key", "/a"),
        (b'{"a":NaN}', "number_not_finite", "/a"),
        (b'{"a":[1,Infinity]}', "number_not_finite", "/a/1"),
        (b'{"a":-Infinity}', "number_not_finite", "/a"),
        (b'{"a":' + b"9" * 5000 + b"}", "number_out_of_range", "/a"),
        (b'{"a":"\\ud800"}', "invalid_unicode", "/a"),
        (b'{"a":"\\ud800\\u0041"}', "invalid_unicode", "/a"),
        (b'{"a":"\\udc00"}', "invalid_unicode", "/a"),
        (b'{"a":"\xff"}', "invalid_encoding", ""),
        ('{"a":1}'.encode("utf-16"), "invalid_encoding", ""),
        ('{"a":1}'.encode("utf-16-le"), "invalid_encoding", ""),
        (b"", "invalid_json", ""),
        (b"{} {}", "invalid_json", ""),
        (b'{"a":1,}', "invalid_json", ""),
        (b'{"a":1 /* one */}', "invalid_json", "/a"),
        (b'{"a":"\\u12"}', "invalid_json", "/a"),
    ],
)
def test_refuses_what_is_no_json(body: bytes, code: str, pointer: str) -> None:
    assert unparsed(body) == (code, pointer)


def test_refuses_a_hundred_thousand_levels_without_recursing() -> None:
    code, pointer = unparsed(b"[" * 100_000)
    assert code == "json_too_deep"
    assert pointer == "/0" * 32


def test_tells_line_and_column_of_a_fault() -> None:
    with pytest.raises(Refused) as caught:
        strict_json.parse(b'{"a":1,\n"b":}')
    assert "line 2 column 5" in caught.value.refusal.message


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (DEEP, "json_too_deep", "/a" * 32),
        (b'{"a":[' + b"1," * 1000 + b"1]}", "too_many_elements", "/a"),
        (b'{"a":1e999}', "number_not_finite", "/a"),
        (b'{"a":-1e999}', "number_not_finite", "/a"),
        (b'{"a":1e400000}', "number_out_of_range", "/a"),
        (b'{"a":[0,1e131000]}', "number_out_of_range", "/a/1"),
        (b'{"a":9007199254740993}', "number_out_of_range", "/a"),
        (b'{"a":1e15}', "number_out_of_range", "/a"),
        (b'{"a":1234567.12345678901}', "number_out_of_range", "/a"),
        (b'{"a":{"b":"x\\u0000y"}}', "nul_character", "/a/b"),
        (b'{"a\\u0000":1}', "nul_character", "/a\\u0000"),
    ],
)
def test_refuses_what_breaks_a_limit(body: bytes, code: str, pointer: str) -> None:
    assert fault(body) == (code, pointer)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 32 + b"1" + b"}" * 32,
        b'{"a":[' + b"1," * 999 + b"1]}",
        b'{"a":999999999999999}',
        b'{"a":0.30000000000000004}',
        b'{"a":"123456789012345678901234567890"}',
        b'{"a":"\\\\u0000"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'\xef\xbb\xbf{"a":1}',
    ],
)
def test_lets_pass_what_is_within_the_limits(body: bytes) -> None:
    assert fault(body) is None


def test_a_place_is_found_through_strings_that_hold_brackets() -> None:
    text = b'{"a":["}{","\\"]"],"b~/c":[{"d":1},{"e":'
    assert locate(text, len(text)) == ["b~/c", 1, "e"]
