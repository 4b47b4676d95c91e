"""Words of a block looked through as they are saved: whole by themselves, whichever template they will stand in."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from channels import templates
from channels.blocks.source import BlockError, Filling, Part, Shelf, without
from channels.images.naming import ImageNameError, Naming
from channels.liquid import LimitError, SourceError
from channels.liquid.source import look_through
from channels.mail import layout
from channels.models import ContentBlock

_PARTS: Final[tuple[Part, ...]] = ("mjml", "html", "text")


def faults(
    block: ContentBlock, locale: str, parts: dict[Part, str], shelf: Shelf, naming: Naming
) -> Iterator[tuple[Part, str]]:
    """What is wrong, by part; `naming` learns of the images that it shows."""
    if not any(source.strip() for source in parts.values()):
        yield "text", _("Write what it says, for at least one kind of place.")
    # It may not hold itself, be it through others.
    filling = Filling(shelf, block.channel, locale, within=[block.key])
    for part in _PARTS:
        fault = _fault(part, parts.get(part, ""), filling, naming)
        if fault:
            yield part, fault


def _fault(part: Part, source: str, filling: Filling, naming: Naming) -> str:
    try:
        look_through(source)
        alone = naming.fill(without(source))
        templates.check(alone, is_html=part == "html")
        if part == "mjml":
            layout.look_at(alone)
        filling.fill(part, source)
    except (SourceError, LimitError, templates.TemplateError, layout.LayoutError, BlockError, ImageNameError) as error:
        return str(error.message) if isinstance(error, LimitError) else str(error)
    return ""
