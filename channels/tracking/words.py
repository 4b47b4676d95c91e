"""What is sent, with links that lead by us; done with words that are filled in, so that links made of values count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from django.conf import settings

from channels.templates import Rendered
from channels.tracking.rewrite import in_page, in_text, with_picture
from channels.tracking.targets import Marks, is_way_out, may_lead
from channels.tracking.tokens import MOST_LINKS, link_token, open_token
from customers.models.address import Channel

# Pushes and what is shown on screens tell of themselves what was followed; what WhatsApp has approved stays as it is.
_CHANNELS: Final = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP})


class Tracked(Protocol):
    """A message as far as it says what is counted of it."""

    id: UUID
    channel: str
    tracks_links: bool
    tracks_opens: bool
    links: list[str]
    utm: dict[str, str] | None
    web_hosts: list[str]


@dataclass(frozen=True, slots=True)
class Words:
    html: str
    text: str
    # Where its links lead, by number; those of earlier tries among them.
    links: Sequence[str] = ()


class _Book:
    """Numbers of links: the same address has the same one, also at a later try, and no number ever leads elsewhere."""

    def __init__(self, message: Tracked) -> None:
        self._message = message
        self._marks = Marks(message.utm or {}, message.web_hosts)
        self._public = settings.TRILHA_PUBLIC_URL.rstrip("/")
        self.links = list(message.links)
        self._numbers = {target: number for number, target in enumerate(self.links)}

    def swap(self, target: str) -> str | None:
        if not may_lead(target) or is_way_out(target):
            return None
        marked = self._marks.on(target)
        if not self._message.tracks_links:
            return None if marked == target else marked
        number = self._numbers.get(marked)
        if number is None:
            number = len(self.links)
            if number >= MOST_LINKS:
                return None
            self._numbers[marked] = number
            self.links.append(marked)
        return f"{self._public}/l/{link_token(self._message.id, number)}"


def tracked(message: Tracked, rendered: Rendered) -> Words:
    """As its purpose has it: links by way of us, a picture that tells of opening, both, or nothing. What marks links
    for the brand's own sites counts nobody, and is done whatever is tracked."""
    if message.channel not in _CHANNELS or not (message.tracks_links or message.tracks_opens or message.utm):
        return Words(rendered.html, rendered.text)
    book = _Book(message)
    html, text = rendered.html, rendered.text
    if message.tracks_links or message.utm:
        html, text = in_page(html, book.swap), in_text(text, book.swap)
    if html and message.tracks_opens and message.channel == Channel.EMAIL:
        html = with_picture(html, f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}/o/{open_token(message.id)}.gif")
    return Words(html, text, book.links)
