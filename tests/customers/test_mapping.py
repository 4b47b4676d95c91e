"""A mapping turns any document into events of our own dialect, or says which field wants what and where."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.mapping import MappingError, Result, apply, parse, suggest

ORDER = {
    "customer": {"email": " Ana@Example.com ", "id": 17, "first": "Ana", "last": "Lima"},
    "created": "31/01/2026 22:15",
    "total": "R$ 1.234,50",
    "orders": [{"id": "a", "paid": True, "total": "1.234,50"}, {"id": "b", "paid": False, "total": "2"}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def rule(**fields: Any) -> dict[str, Any]:
    base = {"key": "one", "name": {"constant": "Seen"}, "identifiers": {"email": "/customer/email"}}
    return {"events": [{**base, **fields}]}


def mapped(mapping: dict[str, Any], document: Any = ORDER, **beside: Any) -> Result:
    return apply(parse(mapping), document, beside)


def prop(value: Any, document: Any = ORDER) -> Any:
    """The property that this value of a mapping makes of the document, or the code of what is wrong."""
    result = mapped(rule(identifiers={"email": {"path": "/nowhere"}}, properties={"it": value}), document)
    if result.problems:
        return result.problems[0].code
    return result.events[0].item.get("properties", {}).get("it")


def faults(mapping: object) -> list[tuple[str, str]]:
    with pytest.raises(MappingError) as caught:
        parse(mapping)
    return [(one.code, one.field) for one in caught.value.problems]


def test_a_document_becomes_an_event() -> None:
    result = mapped(
        rule(
            id="/orders/0/id",
            occurred_at={
                "path": "/created",
                "steps": [{"do": "time", "format": "%d/%m/%Y %H:%M", "zone": "America/Sao_Paulo"}],
            },
            identifiers={
                "email": {"path": "/customer/email", "steps": ["trim", "lower"]},
                "user_id": {"path": "/customer/id", "steps": ["text", {"do": "surround", "before": "shop-"}]},
            },
            properties={"currency": {"constant": "BRL"}, "name": {"join": ["/customer/first", "/customer/last"]}},
            context={"shop": {"constant": "centro"}},
            schema_version=2,
        )
    )
    assert result.applies
    assert [one.item for one in result.events] == [
        {
            "type": "track",
            "name": "Seen",
            "id": "a",
            "occurred_at": "2026-02-01T01:15:00Z",
            "identifiers": {"email": "ana@example.com", "user_id": "shop-17"},
            "properties": {"currency": "BRL", "name": "Ana Lima"},
            "context": {"shop": "centro"},
            "schema_version": 2,
        }
    ]


def test_each_item_of_a_list_becomes_one_where_the_condition_holds() -> None:
    result = mapped(
        rule(
            each="/orders",
            only=[{"path": "./paid", "is": [True]}],
            properties={"order": "./id", "buyer": "/customer/first"},
        )
    )
    [event] = result.events
    assert (event.key, event.number, event.place) == ("one", 0, "/orders/0")
    assert event.item["properties"] == {"order": "a", "buyer": "Ana"}


def test_a_document_that_is_a_list_is_gone_through_from_its_top() -> None:
    result = mapped(rule(each="", identifiers={"user_id": "./id"}), [{"id": "a"}, {"id": "b"}])
    assert [one.item["identifiers"] for one in result.events] == [{"user_id": "a"}, {"user_id": "b"}]


def test_one_document_makes_events_of_several_kinds() -> None:
    events = [
        {
            "key": "who",
            "type": "identify",
            "identifiers": {"email": "/customer/email"},
            "traits": {"f": "/customer/first"},
        },
        *rule()["events"],
        {
            "key": "old",
            "type": "alias",
            "identifiers": {"email": "/customer/email"},
            "previous": {"user_id": "/orders/0/id"},
        },
        {"key": "team", "type": "group", "identifiers": {"email": "/customer/email"}, "group": "/orders/1/id"},
    ]
    result = mapped({"events": events})
    assert [one.item["type"] for one in result.events] == ["identify", "track", "alias", "group"]


def test_headers_tell_what_a_document_is_about() -> None:
    mapping = rule(when=[{"path": "headers:/X-Topic", "is": ["orders/paid"]}], name="headers:/x-topic")
    assert mapped(mapping, headers={"x-topic": "orders/paid"}).events[0].item["name"] == "orders/paid"
    assert not mapped(mapping, headers={"x-topic": "orders/created"}).applies
    assert not mapped(mapping).applies


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ({"is": [17]}, True),
        ({"is": [17.0]}, True),
        ({"is": ["17"]}, False),
        ({"is": [True]}, False),
        ({"is_not": [18]}, True),
        ({"is_not": [17, 18]}, False),
        ({"present": True}, True),
        ({"present": False}, False),
    ],
)
def test_conditions_compare_values_as_they_are(test: dict[str, Any], holds: bool) -> None:
    assert mapped(rule(when=[{"path": "/customer/id", **test}])).applies is holds


def test_true_is_not_one() -> None:
    assert not mapped(rule(when=[{"path": "/orders/0/paid", "is": [1]}])).applies


def test_an_empty_list_is_an_answer_and_a_list_for_others_is_not() -> None:
    mapping = rule(each="/orders", only=[{"path": "./id", "is": ["z"]}])
    assert mapped(mapping, {"orders": []}).applies
    assert not mapped(mapping).applies
    assert mapped(mapping).events == []


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("/orders/1/id", "b"),
        ("/orders/01/id", None),
        ("/orders/2/id", None),
        ("/customer", ORDER["customer"]),
        ({"first": ["/nowhere", "/blank", "/customer/first"]}, "Ana"),
        ({"path": "/nowhere", "default": 0}, 0),
        ({"path": "/nowhere", "required": True}, "missing_value"),
        ({"path": "/customer/id", "steps": ["lower"]}, "not_text"),
        ({"constant": "x", "steps": ["upper"]}, "X"),
        ({"constant": "1.234,50", "steps": [{"do": "number", "decimal": ",", "thousands": "."}]}, 1234.5),
        ({"constant": "1.23,50", "steps": [{"do": "number", "decimal": ",", "thousands": "."}]}, "not_a_number"),
        ({"constant": "1.5", "steps": [{"do": "number", "decimal": ","}]}, "not_a_number"),
        ({"constant": "49.90", "steps": [{"do": "number", "shift": 2, "whole": True}]}, 4990),
        ({"constant": "49.905", "steps": [{"do": "number", "shift": 2, "whole": True}]}, "not_whole"),
        ({"constant": 0.1, "steps": [{"do": "number", "shift": 1}]}, 1),
        ({"constant": "1.5", "steps": [{"do": "number", "shift": 2, "currency": "/dinar"}]}, 1500),
        ({"constant": "1.5", "steps": [{"do": "number", "shift": 2, "currency": "/nowhere"}]}, 150),
        ({"constant": "1e999", "steps": ["number"]}, "number_out_of_range"),
        ({"constant": "9" * 20, "steps": ["number"]}, "number_out_of_range"),
        ({"constant": True, "steps": ["number"]}, "not_a_number"),
        ({"constant": "NaN", "steps": ["number"]}, "not_a_number"),
        ({"constant": "Sim", "steps": ["boolean"]}, True),
        ({"constant": 0, "steps": ["boolean"]}, False),
        ({"constant": "maybe", "steps": ["boolean"]}, "not_a_boolean"),
        ({"constant": "P", "steps": [{"do": "choose", "table": {"P": "paid"}}]}, "paid"),
        ({"constant": "Q", "steps": [{"do": "choose", "table": {"P": "paid"}}]}, "not_in_table"),
        ({"constant": "Q", "steps": [{"do": "choose", "table": {"P": "paid"}, "otherwise": "?"}]}, "?"),
        ({"constant": "x" * 10_001}, "text_too_long"),
    ],
)
def test_a_value_is_found_and_changed(value: Any, becomes: Any) -> None:
    assert prop(value, {**ORDER, "blank": "  ", "dinar": " kwd "}) == becomes


@pytest.mark.parametrize(
    ("told", "step", "becomes"),
    [
        ("2026-01-31T12:00:00-03:00", {}, "2026-01-31T15:00:00Z"),
        ("2026-01-31T12:00:00", {}, "not_a_time"),
        ("2026-01-31", {"zone": "America/Sao_Paulo"}, "2026-01-31T03:00:00Z"),
        (1769860800, {"format": "epoch_seconds"}, "2026-01-31T12:00:00Z"),
        ("1769860800500", {"format": "epoch_milliseconds"}, "2026-01-31T12:00:00.500000Z"),
        (10**300, {"format": "epoch_seconds"}, "not_a_time"),
        ("19970112", {"format": "%Y%m%d", "zone": "UTC"}, "1997-01-12T00:00:00Z"),
        ("30/02/2026", {"format": "%d/%m/%Y", "zone": "UTC"}, "not_a_time"),
        # An hour that the clocks of New York leapt over, and one that they showed twice.
        ("2026-03-08T02:30:00", {"zone": "America/New_York"}, "not_a_time"),
        ("2026-11-01T01:30:00", {"zone": "America/New_York"}, "2026-11-01T05:30:00Z"),
    ],
)
def test_times_are_read_by_their_format_and_zone(told: Any, step: dict[str, str], becomes: str) -> None:
    assert prop({"constant": told, "steps": [{"do": "time", **step}]}) == becomes


def test_every_fault_of_a_document_is_named_with_both_places_and_nothing_is_made() -> None:
    result = mapped(
        rule(
            each="/orders",
            identifiers={"user_id": "/customer/id"},
            properties={"sum": {"path": "./total", "steps": ["number"]}},
        )
    )
    assert result.applies
    assert result.events == []
    assert [(one.code, one.field, one.pointer) for one in result.problems] == [
        ("not_text", "/events/0/identifiers/user_id", "/customer/id"),
        ("not_a_number", "/events/0/properties/sum/steps/0", "/orders/0/total"),
        ("not_text", "/events/0/identifiers/user_id", "/customer/id"),
    ]


def test_what_a_document_makes_is_bounded() -> None:
    many = mapped(rule(each="/orders"), {"orders": [1] * 1001})
    assert [(one.code, one.field) for one in many.problems] == [("too_many_items", "/events/0/each")]
    wide = mapped(rule(properties={"all": ""}), {"text": ["x" * 9000] * 8})
    assert [one.code for one in wide.problems] == ["event_too_large"]
    much = mapped(rule(each="/orders", properties={"all": "/text"}), {"orders": [1] * 999, "text": ["x" * 9000]})
    assert [one.code for one in much.problems] == ["result_too_large"]
    wrong = mapped(rule(each="/orders", properties={"a": {"path": "./b", "required": True}}), {"orders": [1] * 999})
    assert len(wrong.problems) == 20


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        ([], ("invalid_mapping", "")),
        ({"events": []}, ("no_events", "/events")),
        (rule(nme="x"), ("invalid_mapping", "/events/0")),
        (rule(name="Seen"), ("invalid_path", "/events/0/name")),
        (rule(name="/a~b"), ("invalid_path", "/events/0/name")),
        (rule(name="/" * 33), ("invalid_path", "/events/0/name")),
        (rule(name="./a"), ("no_item", "/events/0/name")),
        (rule(only=[{"path": "/a", "present": True}]), ("no_item", "/events/0/only")),
        (rule(name={"path": "/a", "constant": 1}), ("one_origin", "/events/0/name")),
        (rule(name={"first": []}), ("one_origin", "/events/0/name")),
        (rule(when=[{"path": "/a"}]), ("one_test", "/events/0/when/0")),
        (rule(key="Ä"), ("invalid_key", "/events/0/key")),
        (rule(identifiers={}), ("missing_identifiers", "/events/0/identifiers")),
        (rule(identifiers={"email": {"constant": "a@b.com"}}), ("constant_identifier", "/events/0/identifiers/email")),
        (rule(name=None), ("missing_name", "/events/0/name")),
        (rule(traits={"a": "/a"}), ("not_for_type", "/events/0/traits")),
        (rule(type="group", name=None), ("missing_group", "/events/0/group")),
        (rule(type="alias", name=None), ("missing_previous", "/events/0/previous")),
        (rule(properties={"not ok": "/a"}), ("invalid_field_name", "/events/0/properties/not ok")),
        (
            rule(properties={"a/b": {"path": "/a", "steps": [{"do": "time", "zone": "Mars/Olympus"}]}}),
            ("unknown_zone", "/events/0/properties/a~1b/steps/0/zone"),
        ),
        (
            rule(name={"path": "/a", "steps": [{"do": "time", "format": "%d %B", "zone": "UTC"}]}),
            ("invalid_format", "/events/0/name/steps/0/format"),
        ),
        (
            rule(name={"path": "/a", "steps": [{"do": "time", "format": "%d/%m/%Y"}]}),
            ("zone_missing", "/events/0/name/steps/0/zone"),
        ),
        (
            rule(name={"path": "/a", "steps": [{"do": "number", "decimal": ",", "thousands": ","}]}),
            ("same_separators", "/events/0/name/steps/0/thousands"),
        ),
        (
            rule(name={"path": "/a", "steps": [{"do": "number", "currency": "./b"}]}),
            ("no_item", "/events/0/name/steps/0/currency"),
        ),
        (rule(name={"path": "/a", "steps": ["trim"] * 11}), ("too_many_steps", "/events/0/name/steps")),
        (rule(name={"path": "/a", "steps": ["explode"]}), ("invalid_mapping", "/events/0/name/steps/0")),
        ({"events": [*rule()["events"], *rule()["events"]]}, ("key_twice", "/events/1/key")),
        ({"events": rule()["events"] * 21}, ("too_many_events", "/events")),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why_and_where(mapping: object, fault: tuple[str, str]) -> None:
    assert fault in faults(mapping)


def test_a_first_mapping_is_suggested_from_a_sample() -> None:
    sample = {"type": "order.paid", "created": 1769860800, "customer": {"email": "ana@x.com", "id": 7}, "total": 4990}
    draft = suggest(sample, ("email", "user_id"))
    [event] = apply(parse(draft), sample).events
    assert event.item == {
        "type": "track",
        "name": "order.paid",
        "occurred_at": "2026-01-31T12:00:00Z",
        "identifiers": {"email": "ana@x.com"},
        "properties": {"customer_id": 7, "total": 4990},
    }


def test_a_suggestion_goes_through_a_list() -> None:
    sample = [{"subscriptionType": "contact.creation", "objectId": 1246965, "occurredAt": 1769860800000}]
    draft = suggest(sample, ("user_id",))
    assert draft["events"][0]["each"] == ""
    assert apply(parse(draft), sample).events[0].item["name"] == "contact.creation"


@given(JSON)
def test_any_document_gives_a_suggestion_that_is_a_mapping_or_needs_an_identifier(document: Any) -> None:
    result = apply(parse(suggest(document, ("email", "user_id"))), document)
    assert not (result.events and result.problems)


@given(JSON)
def test_no_document_breaks_a_mapping_and_what_it_makes_repeats(document: Any) -> None:
    mapping = parse(
        rule(
            each="/a",
            identifiers={"email": {"first": ["./e", "/e", "."], "steps": ["trim", "lower"]}},
            occurred_at={"path": "./t", "steps": ["time"]},
            properties={"n": {"path": "./n", "steps": ["number"]}, "b": {"path": "./b", "steps": ["boolean"]}},
        )
    )
    for held in (document, {"a": document}, {"a": [document]}):
        first, again = apply(mapping, held), apply(mapping, held)
        assert first == again
        assert not (first.events and first.problems)
        assert all(type(one.item["identifiers"]["email"]) is str for one in first.events if "identifiers" in one.item)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_numbers_written_in_portuguese_are_read_exactly(number: Any) -> None:
    written = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    step = {"do": "number", "decimal": ",", "thousands": ".", "shift": 2, "whole": True}
    assert prop({"constant": written, "steps": [step]}) == int(number * 100)
