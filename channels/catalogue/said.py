"""What is said of a product, read strictly: known fields, each of its type and within its bounds."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import orjson
from babel.numbers import is_currency
from msgspec import UNSET, Meta, Struct, UnsetType

from channels.models.product import KEY
from channels.options import is_address
from customers.accept.refusal import Refused
from customers.accept.timestamps import read_timestamp

MOST_ATTRIBUTES: Final = 50
MOST_BYTES: Final = 8 * 1024
MOST_LOCALES: Final = 30
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")

Price = Annotated[int, Meta(ge=0, le=10**15)]
Name = Annotated[str, Meta(min_length=1, max_length=300)]
Description = Annotated[str, Meta(max_length=5_000)]
Address = Annotated[str, Meta(max_length=2_000)]


class Words(Struct, forbid_unknown_fields=True):
    name: Name
    description: Description = ""


class Said(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it was; null takes it away."""

    key: str
    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    price: Price | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    url: Address | UnsetType | None = UNSET
    image: Address | UnsetType | None = UNSET
    category: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    available: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType | None = UNSET
    # By locale; null takes its words away.
    texts: dict[str, Words | None] | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET

    def moment(self, now: datetime) -> datetime:
        """When it was said; what a clock ahead says is said now, lest nothing that follows count."""
        if self.updated_at is UNSET:
            return now
        return min(read_timestamp(str(self.updated_at), now, "/updated_at", historical=True), now)


def read(item: Any, now: datetime) -> Said:
    """Raise Refused, with its place in the item."""
    try:
        said = msgspec.convert(item, Said)
    except msgspec.ValidationError as error:
        raise _misfit(error) from None
    if "\\u0000" in _as_json(item):
        raise Refused("nul_character", "It holds the character NUL.", "Leave it out.")
    _check(said)
    said.moment(now)
    return said


def of_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """The same out of a message that a mapping made: of a row, or of what another system posted. Properties of other
    names are attributes; where it tells a locale, its words, if it has any, are those of that locale."""
    told = dict(message.get("properties") or {})
    known = {name: told.pop(name) for name in Said.__struct_fields__ if name in told}
    locale = told.pop("locale", None)
    if locale is not None:
        if not isinstance(locale, str):
            raise _odd("/locale")
        words = {name: known.pop(name) for name in ("name", "description") if name in known}
        if words:
            known["texts"] = {**_object(known, "texts"), locale: words}
    if told:
        known["attributes"] = {**_object(known, "attributes"), **told}
    return known


def _object(known: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = known.get(name) or {}
    if not isinstance(value, dict):
        raise _odd(f"/{name}")
    return value


def _as_json(item: Any) -> str:
    """What JSON cannot hold, as half a character or a number past all bounds, is in the attributes or words."""
    try:
        return orjson.dumps(item).decode()
    except orjson.JSONEncodeError:
        raise _odd("") from None


def _odd(place: str) -> Refused:
    return Refused("wrong_type", "The value is of another type than it should be.", "See the field’s type.", place)


def _check(said: Said) -> None:
    if not KEY.fullmatch(said.key):
        hint = "Up to 100 letters, digits and _ . : - alone, a letter or digit first."
        raise Refused("invalid_product_key", "This cannot be the key of a product.", hint, "/key")
    if said.currency and not (said.currency.isupper() and is_currency(said.currency)):
        raise Refused("unknown_currency", "No such currency.", "Send an ISO 4217 code such as BRL.", "/currency")
    for name, address in (("url", said.url), ("image", said.image)):
        if address and (not is_address(address) or address.startswith("/")):
            hint = "Send an address that begins with https://."
            raise Refused("invalid_address", "This is no address that may be shown.", hint, f"/{name}")
    if said.attributes:
        _check_attributes(said.attributes)
    if said.texts and (len(said.texts) > MOST_LOCALES or not all(map(_LOCALE.fullmatch, said.texts))):
        hint = f"At most {MOST_LOCALES} locales, written as pt-BR."
        raise Refused("invalid_locale", "These are no locales.", hint, "/texts")


def _check_attributes(attributes: dict[str, Any]) -> None:
    if len(attributes) > MOST_ATTRIBUTES or len(orjson.dumps(attributes)) > MOST_BYTES:
        hint = f"At most {MOST_ATTRIBUTES} of them, {MOST_BYTES:,} bytes as JSON."
        raise Refused("too_many_attributes", "More attributes than a product may have.", hint, "/attributes")
    if not all(map(_NAME.fullmatch, attributes)):
        hint = "Up to 60 letters, digits and _, no digit first."
        raise Refused("invalid_name", "This cannot be the name of an attribute.", hint, "/attributes")


def _misfit(error: msgspec.ValidationError) -> Refused:
    """In our words: the library's never quote a value, but they are for programmers."""
    text, _at, path = str(error).partition(" - at `$")
    place = path.rstrip("`").replace("[...]", "").replace(".", "/").replace("[", "/").replace("]", "")
    named = re.search(r"field `([^`]*)`", text)
    if named is not None:
        at = f"{place}/{named[1]}"[:200]
        if "missing" in text:
            return Refused("missing_field", "This is missing.", "Send it.", at)
        return Refused("unknown_field", "There is no such field.", "Leave it out.", at)
    if "length" in text:
        return Refused("too_long", "Longer than it may be, or empty.", "Send less, or leave it out.", place)
    if "`int`" in text and ("<=" in text or ">=" in text):
        hint = "Send whole minor units of the currency, such as cents, not below nothing."
        return Refused("out_of_range", "No such amount.", hint, place)
    return _odd(place)
