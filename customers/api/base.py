"""What every endpoint of the partner API does before and after its own work."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

import orjson
from django.db import DataError
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from customers import clock, kept_answers
from customers.accept import strict_json
from customers.accept.apart import state_of
from customers.accept.refusal import Refusal, Refused, TooMuch, unstorable
from customers.api.keys_of_calls import call_of
from customers.api.parameters import Parameter, read_parameters
from customers.api.partner import REALM, PartnerAuthentication, count_call, require_scope
from customers.api.problem import PROBLEM_JSON, problem
from customers.api.reading import Sent, read_sent, unpack
from customers.api.schema import PartnerSchema
from customers.calls import Count
from customers.kept_answers import Answer
from customers.partner import Partner
from customers.work import describe

MAX_BODY_BYTES = 64 * 1024
_SECONDS = 60

logger = logging.getLogger(__name__)


class JsonAlone(BaseContentNegotiation):
    """There is one way to answer, whatever the caller would rather have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class PartnerView(APIView):
    """Token, limit, scope and parameters are settled before the handler runs; whatever goes wrong is a problem.

    `scopes` and `parameters` are by method; a method that is not in `scopes` is not there.
    """

    authentication_classes = (PartnerAuthentication,)
    content_negotiation_class = JsonAlone
    permission_classes = ()
    schema = PartnerSchema()
    scopes: ClassVar[Mapping[str, str]]
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    partner: Partner
    now: datetime
    given: dict[str, Any]
    counted: Count | None = None

    @property
    def allowed_methods(self) -> list[str]:
        return [*self.scopes, *(["HEAD"] if "GET" in self.scopes else [])]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.utcnow()
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.partner = cast(Partner, request.user)
        self.counted = count_call(self.partner, self.now)
        if request.method not in self.allowed_methods:
            raise exceptions.MethodNotAllowed(str(request.method))
        require_scope(self.partner, self.scopes["GET" if request.method == "HEAD" else str(request.method)])
        self.given = read_parameters(request._request.GET, self.parameters)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return JsonAlone().select_renderer(request, self.get_renderers())

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # problems are rendered already
        response = refusing(exc)
        if isinstance(exc, exceptions.MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        return response

    def finalize_response(self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        if self.counted is not None and self.counted.left is not None:
            response["RateLimit-Policy"] = f'"token";q={self.partner.per_minute};w={_SECONDS}'
            response["RateLimit"] = f'"token";r={self.counted.left};t={int(self.counted.renews_in.total_seconds())}'
        # Answers are about people: nobody on the way may keep them.
        response["Cache-Control"] = "no-store"
        return response


class Writing(PartnerView, ABC):
    """A POST whose answer is kept when the caller names the call by an Idempotency-Key."""

    max_bytes: int = MAX_BODY_BYTES
    # Of lists that have a limit of their own: how many they hold, and of what.
    at_most: ClassVar[Mapping[str, tuple[int, str]]] = {}
    sent: Sent

    def post(self, request: Request, **kwargs: str) -> HttpResponse:
        http: HttpRequest = request._request
        keyed = call_of(http, self.partner.token_id)
        self.sent = self.receive(http)
        if keyed is None:
            return _as_response(self.attempt(**kwargs))
        call = keyed.of(self.told())
        return _as_response(kept_answers.once(call, lambda: self.attempt(**kwargs), self.now))

    def receive(self, request: HttpRequest) -> Sent:
        return read_sent(request, self.max_bytes)

    def told(self) -> bytes:
        """What makes the call the one it is, beside its address."""
        return self.sent.data

    def attempt(self, **kwargs: str) -> Answer:
        """The answer; a refusal is as good an answer to keep as any, unless it is to be asked again soon."""
        try:
            return self.answer(**kwargs)
        except Refused as error:
            if error.refusal.code in _AGAIN_SOON:
                raise
            return as_answer(refusing(error))

    @abstractmethod
    def answer(self, **kwargs: str) -> Answer:
        """What the call is there for: every view that keeps answers says it for itself."""

    def body(self) -> Any:
        """The body's JSON, within all limits."""
        document = strict_json.parse(unpack(self.sent, self.max_bytes))
        if type(document.value) is not dict:
            raise Refused("wrong_type", "The body is an object.", "Send a JSON object.")
        for name, (most, what) in self.at_most.items():
            listed = document.value.get(name)
            if type(listed) is list and len(listed) > most:
                raise Refused("batch_too_large", f"More than {most:,} {what}.", "Send several batches.", f"/{name}")
        if not strict_json.is_sound(document, [document.value]):
            fault = strict_json.first_fault(strict_json.lossless(document))
            if fault is not None:
                raise Refused.of(fault)
        return document.value


def ok(content: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), content_type="application/json", status=status)


def answer_of(content: Any, status: int = 200, location: str = "") -> Answer:
    return Answer(status, "application/json", orjson.dumps(content), location)


def as_answer(response: HttpResponse) -> Answer:
    return Answer(response.status_code, response["Content-Type"], response.content)


def _as_response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, content_type=answer.content_type, status=answer.status)
    if answer.location:
        response["Location"] = answer.location
    if answer.content_type == PROBLEM_JSON:
        response["X-Request-ID"] = orjson.loads(answer.body)["request_id"]
    if answer.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def not_found() -> Refused:
    """The same whether a thing is another's or nobody's."""
    return Refused("not_found", "There is no such thing, or it is not yours.", "Check the id and the token's sources.")


def refusing(error: Exception) -> HttpResponse:
    """Any failure as a problem; of ours only that there was one, the rest goes to the log."""
    if isinstance(error, Refused):
        return _refusing(error)
    if isinstance(error, exceptions.MethodNotAllowed):
        return problem(Refusal("method_not_allowed", "This address takes other methods.", "See Allow."))
    if isinstance(error, DataError):
        logger.error("Not done: the database answered %s", describe(error))
        return problem(unstorable(state_of(error)))
    if isinstance(error, DatabaseFailure):
        logger.error("Not done: the database answered %s", describe(error))
        response = problem(Refusal("not_ready", "Nothing can be done at present.", "Send the same again."))
        response["Retry-After"] = "1"
        return response
    logger.error("The API failed", exc_info=error)
    hint = "Send the same again later; if it stays, tell us the request_id."
    return problem(Refusal("internal_error", "This should not have happened.", hint))


def _refusing(error: Refused) -> HttpResponse:
    response = problem(error.refusal, others=getattr(error, "others", ()))
    code = error.refusal.code
    if code == "invalid_token":
        response["WWW-Authenticate"] = f'{REALM}, error="invalid_token"'
    elif code == "insufficient_scope":
        response["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope"'
    elif isinstance(error, TooMuch):
        response["Retry-After"] = str(error.seconds)
    elif code in _AGAIN_SOON:
        response["Retry-After"] = "1"
    return response


_AGAIN_SOON = frozenset(("customer_busy", "idempotency_in_flight", "task_not_now"))
