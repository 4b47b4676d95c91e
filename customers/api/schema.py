"""The API's description (OpenAPI 3.1): what every operation shares is added here, once."""

from functools import cache
from http import HTTPStatus
from typing import Any

from django.utils.translation import override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from customers.api.problem import PROBLEM_JSON
from customers.api.strict import Body

# The refusals that any call may meet, and those of a body.
_ALWAYS = (400, 401, 403, 429, 500, 503)
_OF_BODIES = (409, 413, 415, 422)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names the call: the same call again gets the same answer, for a week, and does nothing twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


class ErrorShape(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="Where in the body (RFC 6901); empty: the whole, or not in the body.")
    code = serializers.CharField(help_text="Stable; what programs should look at.")
    message = serializers.CharField()
    hint = serializers.CharField(help_text="What to do.")
    parameter = serializers.CharField(required=False, help_text="Which parameter of the query string.")

    class Meta:
        ref_name = "ProblemError"


class ProblemShape(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="The code of the first error.")
    detail = serializers.CharField()
    errors = ErrorShape(many=True)  # type: ignore[assignment]  # Serializer has a property of this name
    request_id = serializers.CharField(help_text="Name it when you ask us.")

    class Meta:
        ref_name = "Problem"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the package is untyped there
    target_class = "customers.api.partner.PartnerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A partner token. Never in an address."}


class PartnerSchema(AutoSchema):
    """Adds the refusals, the parameters of the view and the Idempotency-Key to each operation."""

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Body):
            # What a body's serializer does not know, it refuses.
            schema["additionalProperties"] = False if serializer.others is None else dict(serializer.others)
            if serializer.others is not None:
                schema["minProperties"] = 1
            if serializer.one_of:
                schema["oneOf"] = [{"required": [name]} for name in serializer.one_of]
        return schema

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        view: Any = self.view
        if operation is None or not hasattr(view, "scopes"):
            return operation
        scope = view.scopes[self.method]
        operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
        parameters = operation.setdefault("parameters", [])
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": parameter.required,
                "description": parameter.description,
                "schema": dict(parameter.schema),
            }
            for name, parameter in sorted(view.parameters.items())
        ]
        if self.method == "POST":
            parameters.append(_KEY)
        return operation

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if not hasattr(self.view, "scopes"):
            return bodies
        statuses = [*_ALWAYS, 404, *(_OF_BODIES if self.method == "POST" else ())]
        for status in sorted(statuses):
            said = OpenApiResponse(ProblemShape, HTTPStatus(status).phrase)
            told = self._get_response_for_code(said, str(status), [PROBLEM_JSON], direction)  # type: ignore[no-untyped-call]
            bodies.setdefault(str(status), told)
        return bodies


@cache
def document() -> dict[str, Any]:
    """The whole description, made once a process."""
    with override("en"):
        schema: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return schema
