"""The door by which providers call back, one address for each connector: the signature first, then the call as it came,
then the answer. What takes somebody's agreement away is done before it is answered."""

import logging
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DataError, connection
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from channels.receipts import at_once, receive
from channels.receipts.told import Callback
from customers import clock
from customers.accept.apart import state_of
from customers.accept.refusal import Refusal, Refused, unstorable
from customers.api.problem import problem
from customers.api.reading import read_plain
from customers.work import describe

logger = logging.getLogger(__name__)


def _door(view: Any) -> Any:
    """Every way to fail answered as a problem; providers repeat what was not answered 2xx."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, connector_id: UUID) -> HttpResponse:
        if request.method not in ("POST", "GET"):
            response = problem(Refusal("method_not_allowed", "Calls are posted here.", "Send POST."))
            response["Allow"] = "GET, POST"
            return response
        try:
            # psycopg's own errors too, where a statement did not go by Django.
            with connection.wrap_database_errors:
                return view(request, connector_id)  # type: ignore[no-any-return]  # it is the view below
        except Refused as error:
            return problem(error.refusal)
        except at_once.NotYet:
            return _later("It is kept, and does not hold yet.")
        except DataError as error:
            logger.error("Not kept: the database answered %s", describe(error))
            return problem(unstorable(state_of(error)))
        except DatabaseFailure as error:
            logger.error("Not kept: the database answered %s", describe(error))
            return _later("Nothing can be kept at present.")

    return answer


def _later(why: str) -> HttpResponse:
    response = problem(Refusal("not_ready", why, "Send the same again."))
    response["Retry-After"] = "1"
    return response


@_door
def callback(request: HttpRequest, connector_id: UUID) -> HttpResponse:
    now = clock.utcnow()
    found = receive.find(connector_id)
    if found is None:
        raise Refused("not_found", "No provider calls here.", "Check the address.")
    connector, service = found
    came = _came(request)
    if request.method == "GET":
        greeting = service.greet(came)
        if greeting is None:
            raise Refused("not_found", "Nothing is read here.", "Send POST.")
        return HttpResponse(greeting, content_type="text/plain")
    receive.verify(connector, service, came, now)
    id_ = receive.keep(connector, came, now)
    at_once.settle(service, connector, came, id_, now)
    # Nothing in it: what Twilio is answered as text it sends to the person who wrote.
    return HttpResponse(status=200, content_type="text/plain")


def _came(request: HttpRequest) -> Callback:
    body = b"" if request.method == "GET" else read_plain(request, receive.MAX_BYTES, lambda _type: True)
    return Callback(
        method=request.method or "",
        # As it was told to the provider: what stands before us may have changed scheme and host.
        url=settings.TRILHA_PUBLIC_URL.rstrip("/") + request.get_full_path(),
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        content_type=request.META.get("CONTENT_TYPE", ""),
        body=body,
    )
