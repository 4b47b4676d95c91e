"""What a refused item seems to name somebody by: digests of the values, so that it is found when they ask for it.

The item was not understood, so no scheme can be asked: a value counts as it was written, without case and edges.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from customers.ids import hash64

# Where dialects put identifiers, and where people put them by mistake.
_NAMES: Final = frozenset(
    re.findall(
        r"\w+",
        "userid anonymousid previousid groupid user_id anonymous_id previous_id group_id customer_id crm_id device_id"
        " loyalty_card email phone cpf cnpj abn subject crmid device loyaltycard",
    )
)
# Objects that hold such names; whatever an object called `identifiers` holds is one.
_WITHIN: Final = ("traits", "properties", "context", "data")
_IDENTIFIERS: Final = "identifiers"
_MOST: Final = 40


def digest(value: str) -> int:
    return hash64("naming", value.strip().lower())


def digests(item: Any) -> tuple[int, ...]:
    """One for each value that seems to name somebody, the least first; no more than a person has names."""
    found = {digest(str(value)) for value in _values(item, 3) if value != ""}
    return tuple(sorted(found)[:_MOST])


def _values(item: Any, depth: int) -> Iterator[Any]:
    if not isinstance(item, dict) or depth == 0:
        return
    for name, value in item.items():
        if isinstance(value, str | int) and not isinstance(value, bool) and name.lower() in _NAMES:
            yield value
        elif name == _IDENTIFIERS and isinstance(value, dict):
            yield from (held for held in value.values() if isinstance(held, str))
        elif name in _WITHIN:
            yield from _values(value, depth - 1)
