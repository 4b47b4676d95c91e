"""Customers as the search for duplicates compares them: one short line of plain values each."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from customers.duplicates import model
from customers.duplicates.linking import Record
from customers.pg import raw_cursor

_LONGEST: Final = 100
_AT_ONCE: Final = 5_000
_SPACES: Final = re.compile(r"\s+")
_SIGNS: Final = re.compile(r"[^0-9a-z]+")
# The traits in which each may be found, the first that is given; a dot leads into a document.
TRAITS: Final[dict[str, tuple[str, ...]]] = {
    model.FIRST_NAME: ("first_name", "firstName"),
    model.LAST_NAME: ("last_name", "lastName"),
    model.BIRTH_DATE: ("birth_date", "birthDate", "birthday", "date_of_birth"),
    model.STREET: ("street", "address.street", "address"),
    model.CITY: ("city", "address.city"),
    model.POSTCODE: ("postcode", "postal_code", "zip", "address.postalCode", "address.postal_code", "address.postcode"),
    model.EMAIL: ("email",),
    model.PHONE: ("phone",),
    model.TAX_ID: ("tax_id",),
}
# Identifiers outweigh traits: they were read by their scheme.
KINDS: Final = {
    "email": model.EMAIL,
    "phone": model.PHONE,
    "cpf": model.TAX_ID,
    "cnpj": model.TAX_ID,
    "abn": model.TAX_ID,
}
# A customer appears in a brand by the first of its profiles that was seen there. Of shared identifiers nobody is told.
_PAGE: Final = """
    SELECT c.id, a.profile_id, c.traits, i.named
    FROM (
        SELECT p.customer_id, (min(p.id::text))::uuid AS profile_id
        FROM customers_profile p JOIN customers_profilebrand b ON b.profile_id = p.id AND b.brand_id = %(brand)b
        WHERE p.customer_id IN (
            SELECT DISTINCT q.customer_id FROM customers_profile q
            JOIN customers_profilebrand s ON s.profile_id = q.id AND s.brand_id = %(brand)b
            WHERE q.customer_id > %(after)b ORDER BY q.customer_id LIMIT %(most)b
        )
        GROUP BY p.customer_id
    ) a
    JOIN customers_customer c ON c.id = a.customer_id
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(n.kind_id, n.value) AS named FROM (
            SELECT DISTINCT ON (i.kind_id) i.kind_id, i.value
            FROM customers_profile p JOIN customers_identifier i ON i.profile_id = p.id
            WHERE p.customer_id = c.id AND i.closed_at IS NULL AND i.shared_at IS NULL AND i.kind_id = ANY(%(kinds)b)
            ORDER BY i.kind_id, i.opened_at, i.id
        ) n
    ) i ON true
    ORDER BY c.id
"""


def records(brand_id: UUID) -> Iterator[Record]:
    """Everybody of a brand, each under the profile by which they are seen there."""
    after = UUID(int=0)
    while rows := _page(brand_id, after):
        for _customer, profile, traits, named in rows:
            yield record(str(profile), values(traits, named or {}))
        after = rows[-1][0]


def _page(brand_id: UUID, after: UUID) -> Sequence[tuple[UUID, UUID, dict[str, Any], dict[str, str] | None]]:
    with raw_cursor() as cursor:
        asked = {"brand": brand_id, "after": after, "most": _AT_ONCE, "kinds": list(KINDS)}
        return cursor.execute(_PAGE, asked).fetchall()


def values(traits: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, str]:
    """What is known of somebody, as it was given, by the model's columns."""
    found: dict[str, str] = {}
    for column, names in TRAITS.items():
        for name in names:
            value = _at(traits, name)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                found.setdefault(column, str(value))
    if model.FIRST_NAME not in found and model.LAST_NAME not in found:
        first, _space, last = str(traits.get("name") or "").strip().partition(" ")
        found |= {model.FIRST_NAME: first, model.LAST_NAME: last.rpartition(" ")[2]} if last else {}
    found |= {KINDS[kind]: value for kind, value in named.items() if kind in KINDS}
    return found


def _at(traits: Mapping[str, Any], name: str) -> Any:
    here: Any = traits
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def record(key: str, given: Mapping[str, str]) -> Record:
    """The values as they are compared: without accents, capitals and needless signs."""
    made: dict[str, str | None] = {"unique_id": key}
    made |= {column: _plain(column, given.get(column, "")) for column in model.COLUMNS}
    first, last = made[model.FIRST_NAME], made[model.LAST_NAME]
    made[model.NAME_KEY] = " ".join(sorted((first, last))) if first and last else None
    return made


def _plain(column: str, value: str) -> str | None:
    apart = unicodedata.normalize("NFKD", value[:_LONGEST]).casefold()
    text = "".join(sign for sign in apart if not unicodedata.combining(sign) and sign != "\x00")
    if column in (model.POSTCODE, model.TAX_ID, model.BIRTH_DATE, model.PHONE):
        text = _SIGNS.sub("", text)
    return _SPACES.sub(" ", text).strip() or None


def count(brand_id: UUID) -> int:
    with raw_cursor() as cursor:
        row = cursor.execute(
            "SELECT count(DISTINCT p.customer_id) FROM customers_profile p"
            " JOIN customers_profilebrand b ON b.profile_id = p.id WHERE b.brand_id = %b",
            [brand_id],
        ).fetchone()
    return int(row[0]) if row else 0
