"""A person is found in raw documents by their names, however spelled, and never by part of a longer name."""

import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.ids import NIL, new_id
from customers.privacy import patterns

pytestmark = pytest.mark.django_db
# The database stays as it is.
ONE_DATABASE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

EMAIL, USER, SHORT, PHONE, CPF, CNPJ = (
    "ana@example.com", "customer-1", "ana7", "+5511987654321", "52998224725", "12ABC34501DE35",
)  # fmt: skip


def found(sql: str, words: list[str], **given: object) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", patterns.values([(NIL, word) for word in words]) | given)
        return bool(cursor.fetchone()[0])


def in_text(document: str, *words: str) -> bool:
    return found(patterns.mentions("%(document)s::text"), list(words), document=document)


def in_bytes(document: bytes, *words: str) -> bool:
    return found(patterns.mentions_bytes("%(document)s::bytea"), list(words), document=document)


def in_file(document: bytes, *words: str, delimiter: str = ",") -> bool:
    sql = patterns.mentions_cells("%(document)s::bytea", "NULL::uuid", "%(delimiter)s::text")
    return found(sql, list(words), document=document, delimiter=delimiter)


def everywhere(document: str, *words: str) -> set[bool]:
    data = document.encode()
    return {in_text(document, *words), in_bytes(data, *words), in_file(data, *words)}


@pytest.mark.parametrize(
    "document",
    [
        "{}", '{{"email":"{}"}}', "Write to {}.", "Is it {}?", "<{}>", "({}), then", "mailto:{}", "a,{},b", "a;{}\nb",
        "hello\\n{}\\nbye", "\\u003c{}\\u003e", "“{}”", "'{}'", "{}…", "{}... and so on", "[{}]", "to={}&x=1",
        "https://x.example/?to=%3C{}%3E", "x%20{}%0a", '{{\\"email\\":\\"{}\\"}}', "{}'s", "CORP\\\\{}", "- {} -",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [EMAIL, USER])
def test_a_name_is_found_where_it_stands_with_edges(document: str, name: str) -> None:
    assert everywhere(document.format(name), name) == {True}
    assert everywhere(document.format(name.upper()), name) == {True}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (EMAIL, one)
        for one in (
            "mariana@example.com", "maria.ana@example.com", "maria+ana@example.com", "maria-ana@example.com",
            "maria_ana@example.com", "ana@example.com.br", "ana@example.community", "éana@example.com",
            "\\u00e9ana@example.com", "mari%2Bana%40example.com", "mari%2Eana@example.com", "ana@example.com-x.br",
            "d'ana@example.com", "%C3%A9ana%40example.com", "ana@examplexcom", "ana@example.comé",
        )
    ] + [
        (USER, one)
        for one in (
            "customer-10", "customer-1a", "my-customer-1", "customer-1-b", "customer-1.2", "customer-1_x",
            "customer-1@shop.example", "customer-1%2Db", "customer-1é", "x.customer-1", "customer%2D10",
            "customer-1\\u00e9",
        )
    ],
)  # fmt: skip
def test_a_longer_name_that_contains_it_is_another_ones(name: str, document: str) -> None:
    for frame in ("{}", '{{"id":"{}"}}', "a,{},b", "Write to {}."):
        assert everywhere(frame.format(document), name) == {False}, frame


def test_beside_a_longer_name_it_is_found_all_the_same() -> None:
    assert everywhere("customer-10, customer-1 and customer-100", USER) == {True}
    assert everywhere("mariana@example.com ana@example.com", EMAIL) == {True}


def test_a_plus_is_a_blank_where_a_form_says_so() -> None:
    form = urlencode({"said": f"I am {EMAIL} today"})
    assert "+ana%40example.com+" in form
    assert everywhere(form, EMAIL) == {True}


@pytest.mark.parametrize("name", ["JOSÉ.ÇA@example.com", "José.Ça@example.com", "Łucja-ÿ-1", "Жанна-anna"])
def test_capitals_beyond_ascii_are_letters_as_well(name: str) -> None:
    for spelled in (name, name.lower(), name.upper()):
        for document in (json.dumps({"x": spelled}), json.dumps({"x": spelled}, ensure_ascii=False), quote(spelled)):
            assert everywhere(document, name) == {True}, document
        for encoding in ("cp1252", "utf-16-le", "utf-16-be", "utf-8"):
            try:
                data = f"a,{spelled},b".encode(encoding)
            except UnicodeEncodeError:
                continue
            assert in_file(data, name), encoding


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (PHONE, "+55 (11) 98765-4321"), (PHONE, "+55 11 9 8765 4321"), (PHONE, "5511987654321"),
        (PHONE, "005511987654321"), (PHONE, "+55-11-98765-4321."), (PHONE, "(11) 98765-4321"),
        (PHONE, "tel:+55.11.98765.4321"), (PHONE, "%2B55%20%2811%29%2098765-4321"), (PHONE, "t=%2B55+11+98765+4321&x"),
        (PHONE, "wa.me/5511987654321"), (PHONE, '{"n": 5511987654321, "x": 1}'), (PHONE, "+55\u00a011\u00a098765-4321"),
        (CPF, "529.982.247-25"), (CPF, "529 982 247 25"), (CPF, "CPF: 529.982.247-25."), (CPF, "52998224725"),
        ("529.982.247-25", "52998224725"), (CNPJ, "12.ABC.345/01DE-35"), (CNPJ, "12.ABC.345\\/01DE-35"),
        ("(11) 98765-4321", "11 98765 4321"), ("+61412345678", "0412 345 678"),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_their_digits(name: str, document: str) -> None:
    assert everywhere(document, name) == {True}
    assert everywhere(json.dumps({"said": document}), name) == {True}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (PHONE, "15511987654321"), (PHONE, "55119876543210"), (PHONE, "+55 11 98765-43210"),
        (PHONE, "+55 11 98765-4321-0"), (PHONE, "1-5511987654321"), (PHONE, "a5511987654321"), (PHONE, "+551198765432"),
        (CPF, "1.529.982.247-25"), (CPF, "529.982.247-250"), (CPF, "529.982.247-25/0001"), (CPF, "0/52998224725"),
        (CPF, "52998224725@mail.example"), ("12345678", "12.345.678/0001-95"), ("12345678", "1234-5678"),
    ],
)  # fmt: skip
def test_a_longer_number_is_another_ones(name: str, document: str) -> None:
    for frame in ("{}", '{{"id":"{}"}}', "a,{},b", "call {}."):
        assert everywhere(frame.format(document), name) == {False}, frame


def test_a_short_name_counts_as_the_whole_of_a_value_alone() -> None:
    for document in ('{"id":"ANA7"}', '["x", "ana7"]', "id=ana7", "a=1&id=ana7&b=2", '{\\"id\\":\\"ana7\\"}',
                     '{"url":"https://x.example/?u=ana7"}'):  # fmt: skip
        assert everywhere(document, SHORT) == {True}, document
    for document in ('{"id":"ana77"}', '{"said":"it was ana7, you know"}', "id=ana7x", "id=xana7&b=1", "ana7 said",
                     "said=hello,ana7", '{"said": "a,ana7,b"}', "a=b=ana7"):  # fmt: skip
        assert {in_text(document, SHORT), in_bytes(document.encode(), SHORT)} == {False}, document
    assert not in_text("", SHORT)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le", "utf-16-be"])
def test_a_short_name_is_found_as_the_whole_of_a_cell(encoding: str) -> None:
    for text in ("id;n\nana7;1\n", "n;id\n1;ana7", '1;"Ana7"\r\n', "ana7;x"):
        assert in_file(text.encode(encoding), SHORT, delimiter=";"), text
        assert not in_file(text.replace("7", "78").encode(encoding), SHORT, delimiter=";"), text
    assert not in_file("hi,ana7,x;1\n".encode(encoding), SHORT, delimiter=";")


def test_a_local_name_counts_in_its_namespace_alone() -> None:
    space, other = new_id(), new_id()
    for namespace, is_found in ((space, True), (other, False)):
        with connection.cursor() as cursor:
            values = patterns.values([(space, USER)]) | {"namespace": namespace}
            cursor.execute(f"SELECT {patterns.mentions(chr(39) + USER + chr(39), '%(namespace)s::uuid')}", values)
            assert cursor.fetchone()[0] is is_found


names = st.one_of(
    st.builds("{}@{}.example".format, st.from_regex(r"[a-zà-ÿ0-9]{1,8}(?:[.+-][a-z0-9é]{1,4})?", fullmatch=True),
              st.from_regex(r"[a-z]{1,6}", fullmatch=True)),
    st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ÿ0-9](?:[A-Za-z0-9À-ÖØ-öø-ÿ ._|:/-]{6,14})[A-Za-z0-9À-ÖØ-öø-ÿ]", fullmatch=True),
)  # fmt: skip
DOORS: list[Callable[[str], bytes]] = [
    lambda name: json.dumps({"userId": name, "n": 1}).encode(),
    lambda name: json.dumps({"userId": name}, ensure_ascii=False).encode(),
    lambda name: json.dumps({"raw": json.dumps({"userId": name})}).encode(),
    lambda name: urlencode({"a": "x", "id": name, "b": "y z"}).encode(),
    lambda name: f"https://shop.example/?id={quote(name, safe='')}&b=1".encode(),
    lambda name: f"n,id\n1,{name}\n2,x\n".encode(),
    lambda name: f"n;id\r\n1;{name}\r\n".encode("cp1252"),
    lambda name: f"n;id\n1;{name}\n".encode("utf-16-le"),
    lambda name: f"It was {name}, or so they say.".encode(),
]


@ONE_DATABASE
@given(names, st.sampled_from(DOORS), st.sampled_from([str, str.upper, str.lower]))
def test_whoever_is_put_into_a_document_is_found(name: str, door: Callable[[str], bytes], case: Callable[[str], str]):
    spelled = case(name)
    if len(spelled) != len(name) or any(ord(one) > 0xFF for one in spelled):
        spelled = name
    data = door(spelled)
    assert in_bytes(data.replace(b"\0", b""), name)
    assert in_file(data, name)
    if b"\0" not in data and data.isascii():
        assert in_text(data.decode(), name)


@ONE_DATABASE
@given(
    names, st.sampled_from(DOORS), st.sampled_from(["x{}", "7{}", "x.{}", "x-{}", "é{}", "{}x", "{}7", "{}é", "{}.x"])
)
def test_whoever_merely_contains_the_name_is_not(name: str, door: Callable[[str], bytes], longer: str) -> None:
    data = door(longer.format(name))
    assert not in_bytes(data.replace(b"\0", b""), name)
    assert not in_file(data, name)


@ONE_DATABASE
@given(names, st.text(alphabet="anx7é .,+-@'\"\\%2b", max_size=6), st.text(alphabet="anx7é .,+-@'\"\\%2b", max_size=6))
def test_python_and_the_database_agree(name: str, before: str, after: str) -> None:
    text = f"{before}{name}{after}".lower()
    standing = patterns.standing([name])
    assert standing is not None
    assert (standing.search(text) is not None) == in_text(text, name)
