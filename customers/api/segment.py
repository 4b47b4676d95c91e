"""The Segment-compatible door: /v1/batch and a path for each of the six calls, as their libraries speak to it.

Libraries take any answer but exactly 200 for a failure; they repeat 429 and 5xx and drop all other refusals.
"""

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from django.db import DataError
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from customers import clock, keys, load
from customers.accept import strict_json
from customers.accept.apart import state_of
from customers.accept.batch import Outcome, Submission, accept
from customers.accept.dialects import DIALECTS
from customers.accept.refusal import Refusal, Refused, TooMuch, unstorable
from customers.accept.refused import RefusedItem, keep, refused_body, refused_packed
from customers.accept.segment import DOOR
from customers.api import cross_origin
from customers.api.partner import too_many_calls
from customers.api.problem import problem
from customers.api.reading import Sent, read_sent, unpack
from customers.keys import Writer
from customers.work import describe

MAX_BATCH_BYTES = 512_000
MAX_ITEMS = 2500
MAX_ITEM_BYTES = DIALECTS[DOOR].max_item_bytes
_KEY_NAMES = ("writeKey", "write_key", "api_key", "key", "token")
_RETRY_AFTER_SECONDS = "1"

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponse]


def door(view: View) -> View:
    """POST only, and every way to fail answered as a problem."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        return cross_origin.tell(request, attempt(request))

    def attempt(request: HttpRequest) -> HttpResponse:
        try:
            if cross_origin.is_question(request):
                return cross_origin.answer_question(request, clock.utcnow())
            if request.method != "POST":
                response = problem(Refusal("method_not_allowed", "Messages are posted here.", "Send POST."))
                response["Allow"] = "POST"
                return response
            return view(request)
        except Refused as error:
            return _refusing(error)
        except DataError as error:
            # Of the data, not of the database: the same sent again would fail again.
            logger.error("Not accepted: the database answered %s", describe(error))
            return _refusing(Refused.of(unstorable(state_of(error))))
        except DatabaseFailure as error:
            logger.error("Not accepted: the database answered %s", describe(error))
            response = problem(Refusal("not_ready", "Nothing can be stored at present.", "Send the same again."))
            response["Retry-After"] = _RETRY_AFTER_SECONDS
            return response

    return answer


def single(kind: str) -> View:
    """The door of one call, whose path tells the kind."""

    @door
    def one(request: HttpRequest) -> HttpResponse:
        return _single(request, kind)

    return one


@door
def batch(request: HttpRequest) -> HttpResponse:
    submission, outcome = _receive(request, MAX_BATCH_BYTES, _items_of_batch)
    rejected = [
        {"index": index, **refusal.under(submission.place_of(index)).as_error()}
        for index, refusal in sorted(outcome.refusals.items())
    ]
    answer = {
        "success": True,
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "rejected": rejected,
    }
    return HttpResponse(orjson.dumps(answer), content_type="application/json")


def _single(request: HttpRequest, kind: str) -> HttpResponse:
    _submission, outcome = _receive(request, MAX_ITEM_BYTES, lambda value: _item_of_path(value, kind))
    if outcome.refusals:
        raise Refused.of(outcome.refusals[0])
    return HttpResponse(b'{"success":true}', content_type="application/json")


def _receive(
    request: HttpRequest, limit: int, take_apart: Callable[[Any], tuple[bool, list[Any]]]
) -> tuple[Submission, Outcome]:
    """Authenticate, read, parse and accept; a refused body of a known writer is kept."""
    now = clock.utcnow()
    writer = _writer_in_header(request, now)
    load.refuse_overload(now)
    if writer is not None:
        count_call(writer, now)
    sent, body = Sent(), b""
    try:
        sent = read_sent(request, limit, as_text=cross_origin.origin_of(request) is not None)
        body = unpack(sent, limit)
        document = strict_json.parse(body)
        if writer is None:
            writer = writer_in_body(document.value, request, now)
            count_call(writer, now)
        single, items = take_apart(document.value)
    except Refused as error:
        if writer is not None and not isinstance(error, TooMuch):
            kept = replace(_kept(sent, body, error.refusal), from_page=writer.is_public)
            keep([kept], writer.source_id, now)
        raise
    submission = Submission(document, DOOR, single, items)
    return submission, accept(submission, writer, now)


def _kept(sent: Sent, body: bytes, refusal: Refusal) -> RefusedItem:
    """What can be kept of a body that was refused whole."""
    if sent.packed and not body:
        return refused_packed(DOOR, sent.data, refusal)
    return refused_body(DOOR, body or sent.data, refusal)


def _items_of_batch(value: Any) -> tuple[bool, list[Any]]:
    items = value.get("batch") if type(value) is dict else None
    if type(items) is not list:
        where = "/batch" if type(value) is dict else ""
        raise Refused("wrong_type", "The body is an object with a list named batch.", "Send {batch: [...]}.", where)
    if len(items) > MAX_ITEMS:
        raise Refused("batch_too_large", f"More than {MAX_ITEMS:,} messages.", "Send several batches.", "/batch")
    return False, items


def _item_of_path(value: Any, kind: str) -> tuple[bool, list[Any]]:
    """The message, whose kind the path tells."""
    return True, [{**value, "type": kind} if type(value) is dict else value]


def count_call(writer: Writer, now: datetime) -> None:
    """Raise TooMuch when the key's calls of this minute are used up, or the source's."""
    for whose, count in keys.count(writer, now):
        if count.left is None:
            raise too_many_calls(count, whose)


def _writer_in_header(request: HttpRequest, now: datetime) -> Writer | None:
    """Who is named by Basic authentication: the write key as user, without a password."""
    if any(name in request.GET for name in _KEY_NAMES):
        raise invalid_token("Keys do not belong into addresses, which are logged.")
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "basic":
        raise invalid_token()
    try:
        plaintext = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        # No Base64, no UTF-8 inside, or not even ASCII, which is a plain ValueError.
        raise invalid_token() from None
    return _writer(plaintext, request, now)


def writer_in_body(value: Any, request: HttpRequest, now: datetime) -> Writer:
    plaintext = value.get("writeKey") if type(value) is dict else None
    return _writer(plaintext if type(plaintext) is str else "", request, now)


def _writer(plaintext: str, request: HttpRequest, now: datetime) -> Writer:
    writer = keys.find(plaintext, now) if plaintext else None
    if writer is None:
        raise invalid_token()
    return cross_origin.admit(writer, request)


def invalid_token(message: str = "No valid write key.") -> Refused:
    hint = "Send the source's write key as the user name of Basic authentication, without a password."
    return Refused("invalid_token", message, hint)


def _refusing(error: Refused) -> HttpResponse:
    refusal = error.refusal
    # What this protocol has no status for is, to its libraries, a bad request like any other.
    response = problem(refusal, 400 if refusal.status in (409, 422) else None)
    if refusal.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="write key", charset="UTF-8"'
    if isinstance(error, TooMuch):
        response["Retry-After"] = str(error.seconds)
    return response
