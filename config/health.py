"""What a load balancer asks."""

from django.http import HttpRequest, HttpResponse


def live(request: HttpRequest) -> HttpResponse:
    """This process answers; whether its database does is another question."""
    return HttpResponse("ok\n", content_type="text/plain")
