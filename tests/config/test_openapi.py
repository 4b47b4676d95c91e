"""The API's description is true: complete, sound, and what it says is what is answered."""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from config.wsgi import application
from customers.api.base import PartnerView
from customers.api.schema import document
from customers.models import Segment
from tests.config.partners import Partners, make_partners
from tests.journeys.segments import make_list

EXAMPLES = int(os.environ.get("EXAMPLES", "400" if os.environ.get("FULL") else "12"))

pytestmark = pytest.mark.django_db


def routes() -> Iterator[tuple[str, Any]]:
    def walk(patterns: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern):
                yield path.replace("<str:", "{").replace(">", "}"), getattr(pattern.callback, "cls", None)

    return walk(get_resolver("config.api.urls").url_patterns, "/api/")


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation for path, item in document()["paths"].items() for method, operation in item.items()
    }


def test_every_endpoint_is_described_and_nothing_else() -> None:
    there = {
        (path, method.lower())
        for path, view in routes()
        if view is not None and issubclass(view, PartnerView)
        for method in view.scopes
    }
    assert len(there) == 64
    assert set(operations()) == there


def test_it_is_openapi_3_1_and_sound() -> None:
    described = document()
    assert described["openapi"] == "3.1.1"
    for name, schema in described["components"]["schemas"].items():
        whole = {**schema, "components": described["components"]}
        assert jsonschema_rs.meta.is_valid(whole), name
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(ids) == len(set(ids))


def test_every_operation_says_who_may_call_it_and_how_it_refuses() -> None:
    for place, operation in operations().items():
        assert operation["security"] == [{"token": []}], place
        assert "Scope: `" in operation["description"], place
        assert operation["summary"], place
        for status in ("400", "401", "403", "404", "429", "500", "503"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], (place, status)
    written = [operation for (_path, method), operation in operations().items() if method == "post"]
    assert all(media["examples"] for operation in written for media in operation["requestBody"]["content"].values())


def _resolved(schema: Any) -> dict[str, Any]:
    return {**schema, "components": document()["components"]}


def test_every_example_fits_its_schema() -> None:
    looked_at = 0
    for place, operation in operations().items():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in contents:
            for media in content.get("content", {}).values():
                for example in media.get("examples", {}).values():
                    looked_at += 1
                    validator = jsonschema_rs.validator_for(_resolved(media["schema"]))
                    assert validator.is_valid(example["value"]), (place, example)
    assert looked_at >= 12


def test_unknown_fields_are_ruled_out_in_every_body() -> None:
    for (path, method), operation in operations().items():
        for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
            if (path, media_type) == ("/api/v1/cloudevents", "application/json"):
                assert media["schema"] == {}, "Data of any shape."
                continue
            schema = media["schema"].get("items", media["schema"])
            others = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["additionalProperties"]
            attributes = {"type": ["string", "integer", "boolean", "null"]}
            assert others == (attributes if path == "/api/v1/cloudevents" else False), (path, method)


def test_the_description_and_the_page_to_try_it_are_open_to_all() -> None:
    described = Client().get("/api/v1/openapi.json")
    assert (described.status_code, described.headers["Content-Type"]) == (200, "application/json")
    assert described.json() == document()
    page = Client().get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "api_docs.js" in text
    assert "<script>" not in text
    assert "onclick" not in text
    assert "//cdn" not in text


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    """A world with one of everything, so that ids lead somewhere."""
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    journey = made.journey(reentry="always")
    made.know(made.shop, first_name="Ana")
    made.know(made.shop, "bia", granted=False)
    for user in ("ana", "bia"):
        body = {"journey": str(journey.pk), "identifier": {"kind": "user_id", "value": user}}
        assert made.shop.post("runs", body).status_code in {200, 201}
    made.stage.run()
    make_list(made.stage, "invited")
    return made


def served(environ: Any, start_response: Any) -> Any:
    """The application as a server calls it, but for closing its connection: that is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    return application(environ, start_response)


PLACES = sorted(operations())


def _something_there(case: Any, partners: Partners) -> None:
    """Every other case asks for what exists: ids made up at random only ever find nothing."""
    customer = partners.customer(partners.shop)
    run = partners.shop.get("runs", customer=customer).json()["items"][0]
    known = {"customer_id": customer, "run_id": str(run["id"]), "journey_id": run["journey"]}
    known["segment_id"] = str(Segment.objects.get(key="invited").pk)
    for name in case.path_parameters or {}:
        if name in known:
            case.path_parameters[name] = known[name]
    if isinstance(case.body, dict) and "identifier" in case.body:
        case.body["identifier"] = {"kind": "user_id", "value": "ana"}
        case.body.pop("customer", None)
    if case.query and "customer" in case.query:
        case.query["customer"] = customer


def _beyond_schemas(path: str) -> list[Any]:
    """Cursors are signed, ids must exist and e-mails receive mail: a call may fit its schema and be refused.
    And a batch is answered whatever is wrong with its items; where the body is the event, ce- headers say nothing."""
    loose = path.endswith(("/batch", "/cloudevents", "/products"))
    return [positive_data_acceptance, *([negative_data_rejection] if loose else [])]


@lru_cache(maxsize=1)
def described() -> Any:
    """As anybody fetches it, who reads it once and not before each call."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", served)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[1]} {place[0]}")
def test_no_call_breaks_it_and_every_answer_is_as_described(place: tuple[str, str], partners: Partners) -> None:
    """Schemathesis makes up calls that fit the description, and calls that do not."""
    operation = described()[place[0]][place[1].upper()]
    told: list[int] = []

    @given(
        case=st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        ),
        known=st.booleans(),
    )
    @settings(
        max_examples=EXAMPLES,
        deadline=timedelta(seconds=5),
        suppress_health_check=list(HealthCheck),
        derandomize=not os.environ.get("FULL"),
        database=None,
    )
    def every_call(case: Any, known: bool) -> None:
        if known and case.meta.generation.mode is GenerationMode.POSITIVE:
            _something_there(case, partners)
        answer = case.call_and_validate(
            headers={"Authorization": f"Bearer {partners.shop.token}"}, excluded_checks=_beyond_schemas(place[0])
        )
        told.append(answer.status_code)

    every_call()
    assert len(told) >= EXAMPLES
    assert max(told) < 500
