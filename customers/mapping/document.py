"""What a mapping says: which documents it is for, and what each event that comes of one is made of."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from customers.mapping.steps import AnyStep

# The last tells of a thing and of nobody (customers.things).
Type = Literal["track", "identify", "group", "alias", "product"]


class Value(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One value: from a path, from the first of several that leads to something, from several joined, or fixed."""

    path: str | UnsetType = UNSET
    first: list[str] | UnsetType = UNSET
    join: list[str] | UnsetType = UNSET
    constant: Any = UNSET
    # What stands between those that are joined.
    between: str = " "
    steps: list[AnyStep] = []
    # Taken where there is nothing: no such place, null, or text that is empty or all white space.
    default: Any = UNSET
    required: bool = False


# A path alone is enough for what is taken as it stands.
Field = str | Value


class Test(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question about the document; values are compared as they are, without turning text into numbers."""

    __test__ = False

    path: str
    is_: list[Any] | UnsetType = field(default=UNSET, name="is")
    is_not: list[Any] | UnsetType = UNSET
    present: bool | UnsetType = UNSET


class EventRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event of a document for which `when` holds, or one for each item of a list for which `only` holds.

    `key` never changes: ids of messages are made from it.
    """

    key: str
    when: list[Test] = []
    each: str | None = None
    only: list[Test] = []
    type: Type = "track"
    name: Field | None = None
    id: Field | None = None
    occurred_at: Field | None = None
    identifiers: dict[str, Field] = {}
    previous: dict[str, Field] = {}
    group: Field | None = None
    properties: dict[str, Field] = {}
    traits: dict[str, Field] = {}
    context: dict[str, Field] = {}
    schema_version: int | None = None
    historical: bool = False

    def single_fields(self) -> Iterator[tuple[str, Field]]:
        for name in ("name", "id", "occurred_at", "group"):
            if (held := getattr(self, name)) is not None:
                yield name, held

    def named_fields(self) -> Iterator[tuple[str, str, Field]]:
        for part in ("identifiers", "previous", "properties", "traits", "context"):
            for name, held in getattr(self, part).items():
                yield part, name, held


class EventMapping(Struct, frozen=True, forbid_unknown_fields=True):
    events: list[EventRule]
