"""Answers that say no: application/problem+json (RFC 9457), a code for machines, a hint for people."""

from http import HTTPStatus

import orjson
from django.http import HttpResponse

from customers.accept.refusal import Refusal
from customers.ids import new_id


def problem(refusal: Refusal, status: int | None = None) -> HttpResponse:
    """The refusal as an answer, with its own status unless the door speaks fewer."""
    status = status or refusal.status
    request_id = new_id().hex
    body = {
        "type": f"urn:trilha:problem:{refusal.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": refusal.code,
        "detail": refusal.message,
        "errors": [refusal.as_error()],
        "request_id": request_id,
    }
    response = HttpResponse(orjson.dumps(body), content_type="application/problem+json", status=status)
    response["X-Request-ID"] = request_id
    return response
