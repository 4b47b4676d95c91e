"""The sandbox's outbox: the messages that would have been sent, as their readers would see them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from channels import sandbox
from channels.images.addresses import address_of
from channels.models import MessageContent
from customers import clock, personal
from customers.models.address import Channel

_SHOWN = 24
_FRESH = timedelta(minutes=1)
# What a mail brings along may look like something, but neither act nor tell anybody that it was read: of pictures
# those of the library alone are shown.
_HARMLESS = "default-src 'none'; style-src 'unsafe-inline'; img-src data: {images}; frame-ancestors 'self'; sandbox"
_ICONS = {
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.WHATSAPP: "chat",
    Channel.PUSH: "notifications",
    Channel.IN_APP: "smartphone",
    Channel.WEB: "web",
    Channel.CALL: "call",
}
_CHANNELS = [channel for channel in Channel if channel != Channel.PERSON]

Wrap = Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]


def urls(wrap: Wrap) -> list[URLPattern]:
    """The addresses below the messages' own."""
    return [
        path("outbox/", wrap(outbox), name="channels_message_outbox"),
        path("outbox/<uuid:message_id>/", wrap(rendered), name="channels_message_rendered"),
    ]


@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """The whole page, or with `?part=messages` only its list, which the page asks for now and then."""
    _allow(request)
    channel = request.GET.get("channel", "")
    if channel not in _CHANNELS:
        channel = ""
    context: dict[str, Any] = {
        "messages_taken": [_shown(message) for message in sandbox.newest(request.user, channel, _SHOWN)],
    }
    if request.GET.get("part") == "messages":
        return TemplateResponse(request, "admin/channels/outbox_messages.html", context)
    context |= {
        **site.each_context(request),
        "title": gettext_lazy("Outbox of the sandbox"),
        "channel": channel,
        "channels": [(one.value, one.label) for one in _CHANNELS],
    }
    return TemplateResponse(request, "admin/channels/outbox.html", context)


@require_GET
@xframe_options_sameorigin
def rendered(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """A mail by itself, for a frame in which nothing of it can run."""
    _allow(request)
    content = MessageContent.objects.shown_to(request.user).filter(message_id=message_id).first()
    if content is None:
        raise Http404
    if personal.is_masked(content):
        note = _("You may not read personal data of this brand, so the words are not shown.")
        response = HttpResponse(format_html("<!doctype html><title>{}</title><p>{}</p>", note, note))
    else:
        response = HttpResponse(content.body)
    response["Content-Security-Policy"] = _HARMLESS.format(images=address_of(""))
    return response


def _allow(request: HttpRequest) -> None:
    if not request.user.has_perm("channels.view_message"):
        raise PermissionDenied


def _shown(message: Any) -> dict[str, Any]:
    """A message with what its card needs."""
    content: MessageContent | None = getattr(message, "content", None)
    return {
        "row": message,
        "content": content,
        "is_fresh": clock.utcnow() - message.settled_at < _FRESH,
        "icon": _ICONS[Channel(message.channel)],
        "is_mail": message.channel == Channel.EMAIL,
        "is_push": message.channel == Channel.PUSH,
        "is_masked": content is not None and personal.is_masked(content),
        "chat": sandbox.as_chat(content.body) if content is not None else "",
    }
