"""The API's description, the page to try it, and the answer where there is nothing."""

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from customers.accept.refusal import Refusal
from customers.api.base import not_found, refusing
from customers.api.problem import problem
from customers.api.schema import document

_FOR_PROGRAMS = ("/api/", "/v1/")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1; the same for everybody, so nobody is asked who they are."""
    return HttpResponse(orjson.dumps(document()), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own server; the token stays in the browser's memory."""
    return render(request, "api/docs.html")


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    """Below /api/ even a wrong address is answered by a problem."""
    return refusing(not_found())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself refuses, such as a host that is none of ours: programs are told in their own way."""
    if request.path.startswith(_FOR_PROGRAMS):
        return problem(Refusal("bad_request", "The request's head cannot be taken.", "See the address and the host."))
    return defaults.bad_request(request, exception)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_FOR_PROGRAMS):
        return refusing(not_found())
    return defaults.page_not_found(request, exception)


def failure(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(_FOR_PROGRAMS):
        hint = "Send the same again later; if it stays, tell us the request_id."
        return problem(Refusal("internal_error", "This should not have happened.", hint))
    return defaults.server_error(request)
