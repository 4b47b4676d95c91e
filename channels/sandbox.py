"""What the sandbox would have sent: its newest messages, within what somebody may see."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from channels.models import Connector, Message
from channels.providers.sandbox import Sandbox

if TYPE_CHECKING:
    from customers.sight import Person

TAKEN = (Message.State.SENT, Message.State.DELIVERED, Message.State.OPENED, Message.State.CLICKED)
# Among so many of the newest messages of any kind it is looked for those the sandbox took.
_LOOKED_AT = 2_000
_BOLD = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])")


def newest(user: "Person", channel: str, count: int) -> Sequence[Message]:
    """The last messages the sandbox took, newest first, masked for those who may not read personal data."""
    sandboxes = list(Connector.objects.visible_to(user).filter(provider=Sandbox.key).values_list("pk", flat=True))
    if not sandboxes:
        return []
    looked_at = Message.objects.visible_to(user).order_by("-created_at").values("pk")[:_LOOKED_AT]
    taken = Message.objects.shown_to(user).filter(
        pk__in=looked_at, connector_id__in=sandboxes, state__in=TAKEN, settled_at__isnull=False
    )
    if channel:
        taken = taken.filter(channel=channel)
    related = taken.select_related("brand", "content", "address", "template_version__template")
    return list(related.order_by("-settled_at", "-pk")[:count])


def as_chat(body: str) -> SafeString:
    """The text as a messenger shows it: `*bold*` is bold, everything else is as it was written."""
    return mark_safe(_BOLD.sub(r"<strong>\1</strong>", escape(body)))  # noqa: S308 - escaped the line itself
