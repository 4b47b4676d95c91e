"""Products as templates see them: plain data, in the reader's language; of active ones alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from channels.templates import plain
from customers import locales
from customers.pg import raw_cursor

_LOAD: Final = """
    SELECT p.id, p.key, p.name, p.description, p.price, p.currency, p.url, p.image, p.category, p.is_available,
           p.attributes, (SELECT coalesce(jsonb_object_agg(t.locale, jsonb_build_array(t.name, t.description)), '{}')
                          FROM channels_producttext t WHERE t.product_id = p.id)
    FROM channels_product p WHERE p.id = ANY(%b::uuid[]) AND p.is_active
"""
_NAMES: Final = ("key", "name", "description", "price", "currency", "url", "image", "category", "available")


@dataclass(frozen=True, slots=True)
class Shown:
    values: dict[str, Any]
    attributes: dict[str, Any]
    words: Mapping[str, list[str]]

    def to(self, *wanted: str) -> dict[str, Any]:
        """In the first of these locales that there are words in, else as the product is called; what is empty is
        missing, so that a template's own `default` stands for it."""
        made = {name: value for name, value in self.values.items() if value not in (None, "")}
        written = _written(self.words, wanted)
        if written is not None:
            name, description = self.words[written]
            made["name"] = name
            if description:
                made["description"] = description
        return {**made, "attributes": plain(self.attributes)}


def shown(ids: Collection[UUID]) -> dict[UUID, Shown]:
    if not ids:
        return {}
    with raw_cursor() as cursor:
        cursor.execute(_LOAD, [sorted(ids)])
        return {
            id_: Shown(dict(zip(_NAMES, values, strict=True)), attributes, words)
            for id_, *values, attributes, words in cursor.fetchall()
        }


def _written(words: Mapping[str, list[str]], wanted: Collection[str]) -> str | None:
    """Only what somebody wants: the product's own words come before those of any other language."""
    spelled = {locales.folded(locale): locale for locale in words}
    return next((spelled[short] for locale in wanted for short in locales.chain(locale) if short in spelled), None)
