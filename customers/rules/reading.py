"""How a rule is read in SQL: at what time, of whose events, and what has to be joined beside the customer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

# SQL text with %s placeholders, and their values.
Fragment = tuple[str, list[Any]]


@dataclass(slots=True)
class Reading:
    """Of a brand's reading only the brand's events count. Leaves add to `joins`, each a relation of its own alias with
    one row for a customer at most, and to `turns`: moments at which the answer may become another without anything
    happening.

    `by_key` asks for a few customers, each looked up; else everybody in `people`, a relation of profiles (id,
    customer_id), is gathered at once."""

    now: datetime
    brand_id: UUID | None = None
    people: str = "customers_profile"
    by_key: bool = False
    joins: dict[str, Fragment] = field(default_factory=dict)
    turns: list[Fragment] = field(default_factory=list)

    def beside(self, relation: Fragment) -> str:
        """The alias under which the relation is joined to `c` by its customer_id; the same one is joined once."""
        for alias, known in self.joins.items():
            if known == relation:
                return alias
        alias = f"j{len(self.joins)}"
        self.joins[alias] = relation
        return alias

    def joined(self) -> Fragment:
        """What stands behind `FROM customers_customer c`."""
        parts = (
            f" LEFT JOIN LATERAL ({text}) {alias} ON true"
            if self.by_key
            else f" LEFT JOIN ({text}) {alias} ON {alias}.customer_id = c.id"
            for alias, (text, _parameters) in self.joins.items()
        )
        return "".join(parts), [one for _text, parameters in self.joins.values() for one in parameters]

    def next_turn(self) -> Fragment:
        """When the answer may next change by itself, null for never."""
        if not self.turns:
            return "NULL::timestamptz", []
        parts, parameters = [], []
        for text, given in self.turns:
            parts.append(f"CASE WHEN {text} > %s THEN {text} END")
            parameters += [*given, self.now, *given]
        return f"least({', '.join(parts)})", parameters


# For rules that ask neither for the time nor for anything beside the customer.
TIMELESS: Final = datetime(2000, 1, 1, tzinfo=UTC)
