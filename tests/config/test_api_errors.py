"""Below the addresses for programs even what Django refuses by itself is a problem; people get pages."""

import orjson
import pytest
from django.test import Client, RequestFactory

from config.api.views import failure
from tests.customers.partner_api import code_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/v1/journeys", "/v1/track"])
def test_a_host_that_is_none_of_ours_is_a_problem(path: str) -> None:
    assert code_of(Client(headers={"Host": "evil.example"}).get(path), 400) == "bad_request"


@pytest.mark.parametrize("path", ["/v1/pages", "/v1/", "/v1/import", "/api/v1/nothing"])
def test_an_address_that_is_not_there_is_a_problem(path: str) -> None:
    assert code_of(Client().post(path), 404) == "not_found"


def test_a_failure_tells_nothing() -> None:
    answer = failure(RequestFactory().get("/v1/track"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert orjson.loads(answer.content)["code"] == "internal_error"


def test_people_get_pages() -> None:
    answers = [Client().get("/nowhere"), Client(headers={"Host": "evil.example"}).get("/admin/")]
    assert [answer.status_code for answer in answers] == [404, 400]
    assert all(answer.headers["Content-Type"].startswith("text/html") for answer in answers)
    assert failure(RequestFactory().get("/admin/")).headers["Content-Type"].startswith("text/html")
