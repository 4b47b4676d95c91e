"""Leaf kind `permission`: whether the customer may be written to for a purpose, by a channel, as things stand now.

The same verdict as a message would get that were made this moment; each send asks anew all the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.named_in_rules import CHANNELS, absent_purpose, channel_problems, purpose_problems, purposes_offered
from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, WALK, Facts, Holds, Leaf

if TYPE_CHECKING:
    from customers.sight import Person

PERMISSION: Final = "permission"
# By which facts bring why there is none, by (purpose, channel); empty where there is.
REFUSALS: Final = "refusals"


class Permitted(Leaf, frozen=True, kw_only=True):
    """What is not known to be allowed is not."""

    kind: ClassVar[str] = PERMISSION
    label: ClassVar[Text] = _("May be written to")
    inputs: ClassVar[frozenset[str]] = frozenset({PERMISSION})
    places: ClassVar[frozenset[str]] = frozenset({WALK})

    purpose: Annotated[str, form(_("purpose"), refers="purpose")]
    channel: Annotated[str, form(_("channel"), choices=CHANNELS)]

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        values = {"purpose": said.get("purpose", BLANK), "channel": said.get("channel", BLANK)}
        return gettext("may be written to by %(channel)s for %(purpose)s") % values

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {"purpose": purposes_offered(brand_id, user)}

    def problems(self) -> Iterator[Problem]:
        yield from purpose_problems(self.purpose)
        yield from channel_problems(self.channel)

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        yield from absent_purpose(brand_id, self.purpose)

    def python(self) -> Holds:
        return lambda facts: self._refusal(facts) == ""

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        return {f"permission.{self.purpose}.{self.channel}": self._refusal(facts) or "allowed"}

    def _refusal(self, facts: Facts) -> str:
        refusals: Mapping[tuple[str, str], str] = facts.extra.get(REFUSALS, {})
        return refusals.get((self.purpose, self.channel), "unknown")
