"""Taking in what is said of products: many by a few statements; each is new, changed, known already, or refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from msgspec import UNSET
from psycopg import Cursor

from channels.catalogue.said import Said, of_message, read
from customers.accept.refusal import Refusal, Refused
from customers.ids import new_id
from customers.pg import raw_cursor

Fate = Literal["created", "updated", "unchanged", "stale"]
# What an item says by a field of its own name, and what stands for nothing.
_PLAIN: Final[Mapping[str, Any]] = {
    "name": "", "description": "", "price": None, "currency": "", "url": "", "image": "", "category": "",
    "attributes": {},
}  # fmt: skip
_FLAGS: Final = {"available": "is_available", "active": "is_active"}
_COLUMNS: Final = (*_PLAIN, *_FLAGS.values())
_LIST: Final = ", ".join(_COLUMNS)
_FIND: Final = f"""
    SELECT p.key, p.id, p.updated_at, {", ".join(f"p.{name}" for name in _COLUMNS)},
           (SELECT coalesce(jsonb_object_agg(t.locale, jsonb_build_array(t.name, t.description)), '{{}}')
            FROM channels_producttext t WHERE t.product_id = p.id)
    FROM channels_product p WHERE p.brand_id = %b AND p.key = ANY(%b::text[]) ORDER BY p.key FOR UPDATE
"""
# Who was quicker with a product that was new to both keeps what is later.
_SAVE: Final = f"""
    INSERT INTO channels_product AS p (id, brand_id, key, created_at, updated_at, {_LIST})
    SELECT r.id, %b, r.key, %b, r.updated_at, {", ".join(f"r.{name}" for name in _COLUMNS)}
    FROM jsonb_to_recordset(%b::jsonb) AS r (
        id uuid, key text, updated_at timestamptz, name text, description text, price bigint, currency text, url text,
        image text, category text, attributes jsonb, is_available boolean, is_active boolean
    ) ORDER BY r.key
    ON CONFLICT (brand_id, key) DO UPDATE SET
        updated_at = excluded.updated_at, {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
        WHERE p.updated_at <= excluded.updated_at
    RETURNING p.key, p.id
"""
_FORGET_WORDS: Final = """
    DELETE FROM channels_producttext t USING jsonb_to_recordset(%b::jsonb) AS r (product_id uuid, locales text[])
    WHERE t.product_id = r.product_id AND NOT t.locale = ANY(r.locales)
"""
_SAVE_WORDS: Final = """
    INSERT INTO channels_producttext (product_id, locale, name, description)
    SELECT * FROM jsonb_to_recordset(%b::jsonb) AS r (product_id uuid, locale text, name text, description text)
    ON CONFLICT (product_id, locale) DO UPDATE SET name = excluded.name, description = excluded.description
"""


@dataclass(slots=True)
class Taken:
    """By the number of its item: what became of it, or why it was refused."""

    fates: dict[int, Fate] = field(default_factory=dict)
    refusals: dict[int, Refusal] = field(default_factory=dict)

    def count(self, fate: Fate) -> int:
        return sum(one == fate for one in self.fates.values())


@dataclass(slots=True)
class _Product:
    """As it stands, and as it comes to stand while a batch is read."""

    id: UUID
    key: str
    updated_at: datetime | None
    values: dict[str, Any]
    words: dict[str, list[str]]
    is_told: bool = False
    words_told: bool = False


def take(brand_id: UUID, items: Sequence[Any], now: datetime, *, writes: bool = True) -> Taken:
    """In the caller's transaction. A key that comes twice is said twice, one after the other."""
    taken, said = Taken(), dict[int, Said]()
    for number, item in enumerate(items):
        try:
            said[number] = read(item, now)
        except Refused as error:
            taken.refusals[number] = error.refusal
    with raw_cursor() as cursor:
        known = _find(cursor, brand_id, {one.key for one in said.values()})
        for number, one in said.items():
            try:
                taken.fates[number] = _tell(known, one, now)
            except Refused as error:
                taken.refusals[number] = error.refusal
        if writes:
            _save(cursor, brand_id, [one for one in known.values() if one.is_told], now)
    return taken


def take_messages(
    brand_id: UUID, messages: Sequence[Mapping[str, Any]], now: datetime, *, writes: bool
) -> list[Refusal | bool]:
    """The same of messages that a mapping made (customers.things)."""
    items, came_to = dict[int, Any](), dict[int, Refusal | bool]()
    for number, message in enumerate(messages):
        try:
            items[number] = of_message(message)
        except Refused as error:
            came_to[number] = error.refusal
    taken = take(brand_id, list(items.values()), now, writes=writes)
    for place, number in enumerate(items):
        came_to[number] = taken.refusals.get(place) or taken.fates.get(place) in ("created", "updated")
    return [came_to[number] for number in range(len(messages))]


def _find(cursor: Cursor[Any], brand_id: UUID, keys: Iterable[str]) -> dict[str, _Product]:
    cursor.execute(_FIND, [brand_id, sorted(keys)])
    found = {}
    for key, id_, updated_at, *values, words in cursor.fetchall():
        found[key] = _Product(id_, key, updated_at, dict(zip(_COLUMNS, values, strict=True)), words)
    return found


def _tell(known: dict[str, _Product], said: Said, now: datetime) -> Fate:
    product, at = known.get(said.key), said.moment(now)
    if product is None:
        if said.name is UNSET:
            raise Refused("missing_field", "A new product has a name.", "Send its name.", "/name")
        values = {**_PLAIN, "is_available": True, "is_active": True}
        product = _Product(new_id(), said.key, None, values, {})
    elif product.updated_at is not None and at < product.updated_at:
        return "stale"
    values, words = _told(product.values, said), _words(product.words, said)
    if values["price"] is not None and not values["currency"]:
        raise Refused("price_without_currency", "A price is in a currency.", "Send both.", "/currency")
    is_new, is_same = product.updated_at is None, (values, words) == (product.values, product.words)
    product.words_told |= words != product.words
    product.values, product.words, product.updated_at, product.is_told = values, words, at, True
    known[said.key] = product
    return "created" if is_new else "unchanged" if is_same else "updated"


def _told(values: Mapping[str, Any], said: Said) -> dict[str, Any]:
    made = dict(values)
    for name, nothing in _PLAIN.items():
        if (value := getattr(said, name)) is not UNSET:
            made[name] = nothing if value is None else value
    for name, column in _FLAGS.items():
        if (value := getattr(said, name)) is not UNSET:
            made[column] = value
    return made


def _words(words: Mapping[str, list[str]], said: Said) -> dict[str, list[str]]:
    made = dict(words)
    for locale, one in (said.texts or {}).items() if isinstance(said.texts, dict) else ():
        if one is None:
            made.pop(locale, None)
        else:
            made[locale] = [one.name, one.description]
    return made


def _save(cursor: Cursor[Any], brand_id: UUID, products: Sequence[_Product], now: datetime) -> None:
    if not products:
        return
    rows = [{"id": one.id, "key": one.key, "updated_at": one.updated_at, **one.values} for one in products]
    cursor.execute(_SAVE, [brand_id, now, orjson.dumps(rows).decode()])
    ids = dict(cursor.fetchall())
    told = [one for one in products if one.words_told and one.key in ids]
    if not told:
        return
    left = [{"product_id": ids[one.key], "locales": list(one.words)} for one in told]
    cursor.execute(_FORGET_WORDS, [orjson.dumps(left).decode()])
    words = [
        {"product_id": ids[one.key], "locale": locale, "name": name, "description": description}
        for one in told
        for locale, (name, description) in one.words.items()
    ]
    cursor.execute(_SAVE_WORDS, [orjson.dumps(words).decode()])
