"""What rules offer to choose from in a brand: each kind of leaf says what it has for its own fields."""

from typing import TYPE_CHECKING
from uuid import UUID

from customers.authoring.choices import MOST, Choice, Choices
from customers.rules.leaf import PEOPLE, leaf_kinds

if TYPE_CHECKING:
    from customers.sight import Person


def of_rules(brand_id: UUID, user: "Person", place: str = PEOPLE) -> Choices:
    """A few short statements for each kind of leaf, of what this person may see."""
    found = Choices()
    for leaf in leaf_kinds(place).values():
        for kind, rows in leaf.offers(brand_id, user).items():
            if kind not in found.by_kind:
                found.by_kind[kind] = [Choice(*row) for row in list(rows)[:MOST]]
    return found
