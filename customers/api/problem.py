"""Answers that say no: application/problem+json (RFC 9457), a code for machines, a hint for people."""

from collections.abc import Sequence
from http import HTTPStatus

import orjson
from django.http import HttpResponse

from customers.accept.refusal import Refusal
from customers.ids import new_id

PROBLEM_JSON = "application/problem+json"


def problem(refusal: Refusal, status: int | None = None, others: Sequence[Refusal] = ()) -> HttpResponse:
    """The refusal as an answer, with its own status unless the door speaks fewer; `others` are told along."""
    status = status or refusal.status
    request_id = new_id().hex
    body = {
        "type": f"urn:trilha:problem:{refusal.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": refusal.code,
        "detail": refusal.message,
        "errors": [one.as_error() for one in (refusal, *others)],
        "request_id": request_id,
    }
    response = HttpResponse(orjson.dumps(body), content_type=PROBLEM_JSON, status=status)
    response["X-Request-ID"] = request_id
    return response
