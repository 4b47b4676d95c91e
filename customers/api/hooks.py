"""The doors of webhooks, one address for each hook: the signature first, then the body as it came, then the answer."""

import logging
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import DataError
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from customers import clock, load
from customers.accept.apart import state_of
from customers.accept.refusal import Refusal, Refused, TooMuch, unstorable
from customers.api.partner import too_many_calls
from customers.api.problem import problem
from customers.api.reading import read_plain
from customers.hooks import receive
from customers.hooks.documents import is_taken
from customers.hooks.receive import Delivery
from customers.work import describe

logger = logging.getLogger(__name__)


def _door(view: Any) -> Any:
    """POST only, and every way to fail answered as a problem."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, hook_id: UUID) -> HttpResponse:
        if request.method != "POST":
            response = problem(Refusal("method_not_allowed", "Bodies are posted here.", "Send POST."))
            response["Allow"] = "POST"
            return response
        try:
            response = view(request, hook_id)
        except Refused as error:
            response = problem(error.refusal)
            if isinstance(error, TooMuch):
                response["Retry-After"] = str(error.seconds)
        except DataError as error:
            logger.error("Not kept: the database answered %s", describe(error))
            response = problem(unstorable(state_of(error)))
        except DatabaseFailure as error:
            logger.error("Not kept: the database answered %s", describe(error))
            response = problem(Refusal("not_ready", "Nothing can be kept at present.", "Send the same again."))
            response["Retry-After"] = "1"
        return response

    return answer


@_door
def hook(request: HttpRequest, hook_id: UUID) -> HttpResponse:
    now = clock.utcnow()
    found = receive.find(hook_id)
    if found is None:
        raise Refused("not_found", "There is no such hook.", "Check the address.")
    body = read_plain(request, receive.MAX_BYTES, is_taken)
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivery = Delivery(headers, request.content_type or "", body)
    delivery_id = receive.verify(found, delivery, now)
    count = receive.count(found, now)
    if count.left is None:
        raise too_many_calls(count, "hook")
    load.refuse_overload(now)
    load.refuse_bodies_overload(now)
    fresh = receive.keep(found, delivery, delivery_id, now)
    status = b"received" if fresh else b"duplicate"
    return HttpResponse(b'{"status":"%s"}' % status, content_type="application/json")
