"""A brand's blocks as they are now, each read as it is first named."""

from collections.abc import Mapping
from uuid import UUID

from channels.blocks.source import Words
from channels.mail import plain
from channels.models import ContentBlockText, ContentBlockVersion
from customers import locales


class BrandShelf:
    """`fallback` is the brand's own language."""

    def __init__(self, brand_id: UUID, fallback: str) -> None:
        self._brand_id, self._fallback = brand_id, fallback
        self._known: dict[str, Mapping[str, Words]] = {}

    def words(self, key: str, locale: str) -> Words | None:
        if key not in self._known:
            self._known[key] = self._read(key)
        texts = self._known[key]
        closest = locales.closest(texts, locale, self._fallback)
        return texts[closest] if closest is not None else None

    def _read(self, key: str) -> Mapping[str, Words]:
        latest = (
            ContentBlockVersion.objects.filter(block__brand_id=self._brand_id, block__key=key)
            .select_related("block")
            .order_by("-number")
            .first()
        )
        if latest is None:
            return {}
        return {text.locale: of_text(text, latest) for text in latest.texts.all()}


def of_text(text: ContentBlockText, version: ContentBlockVersion) -> Words:
    """The plain words are those of the page, where its author wrote none; blocks in it are named in them as well."""
    said = text.text if text.text.strip() or not text.html.strip() else plain.to_text(text.html)
    return Words(version.pk, version.block.channel, text.mjml, text.html, said)
