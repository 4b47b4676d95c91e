"""What messages fetch from us: the images of the library."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from channels.images import library
from channels.images.addresses import NAME
from channels.models import Image

_HEADERS: Final = (
    # What is kept under a name is never changed: nobody need ask for it twice.
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    # Mail in a browser shows it on another's page.
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


@require_safe
def image(request: HttpRequest, file: str) -> HttpResponse:
    """Shown and never run, whatever a browser would like to take it for."""
    found = Image.objects.filter(file=file).first() if NAME.fullmatch(file) else None
    if found is None:
        raise Http404
    tag = f'"{found.digest}"'
    if request.headers.get("If-None-Match") == tag:
        return _told(HttpResponseNotModified(), tag)
    try:
        data = library.read(found)
    except FileNotFoundError:
        raise Http404 from None
    answer = HttpResponse(data, content_type=f"image/{found.kind}")
    answer.headers["Content-Disposition"] = f'inline; filename="{found.file}"'
    return _told(answer, tag)


def _told(answer: HttpResponse, tag: str) -> HttpResponse:
    for name, value in (*_HEADERS, ("ETag", tag)):
        answer.headers[name] = value
    return answer
