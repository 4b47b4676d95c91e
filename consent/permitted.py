"""Leaf kind `permission`: whether the customer may be written to for a purpose, by a channel, as things stand now.

The same verdict as a message would get that were made this moment; each send asks anew all the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.models import Purpose
from customers.hints import Text, form
from customers.models.address import Channel
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, WALK, Facts, Holds, Leaf
from customers.rules.value_leaf import NAME

if TYPE_CHECKING:
    from customers.sight import Person

PERMISSION: Final = "permission"
# By which facts bring why there is none, by (purpose, channel); empty where there is.
REFUSALS: Final = "refusals"
_CHANNELS: Final = {one.value: one.label for one in Channel if one is not Channel.PERSON}


class Permitted(Leaf, frozen=True, kw_only=True):
    """What is not known to be allowed is not."""

    kind: ClassVar[str] = PERMISSION
    label: ClassVar[Text] = _("May be written to")
    inputs: ClassVar[frozenset[str]] = frozenset({PERMISSION})
    places: ClassVar[frozenset[str]] = frozenset({WALK})

    purpose: Annotated[str, form(_("purpose"), refers="purpose")]
    channel: Annotated[str, form(_("channel"), choices=_CHANNELS)]

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        values = {"purpose": said.get("purpose", BLANK), "channel": said.get("channel", BLANK)}
        return gettext("may be written to by %(channel)s for %(purpose)s") % values

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        seen = Purpose.objects.visible_to(user).filter(brand=brand_id).values_list("key", "name")
        return {"purpose": ((key, f"{name} ({key})") for key, name in seen)}

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.purpose):
            yield Problem("name_invalid", "/purpose", _("This cannot be a purpose."), _("Give the key of a purpose."))
        if self.channel not in _CHANNELS:
            hint = format_lazy(_("Use one of {channels}."), channels=", ".join(_CHANNELS))
            yield Problem("unknown_channel", "/channel", _("There is no such channel."), hint)

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        if not Purpose.objects.filter(brand=brand_id, key=self.purpose).exists():
            message = format_lazy(_("There is no purpose {key}."), key=self.purpose)
            yield Problem("unknown_purpose", "/purpose", message, _("Use the key of a purpose of this brand."))

    def python(self) -> Holds:
        return lambda facts: self._refusal(facts) == ""

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        return {f"permission.{self.purpose}.{self.channel}": self._refusal(facts) or "allowed"}

    def _refusal(self, facts: Facts) -> str:
        refusals: Mapping[tuple[str, str], str] = facts.extra.get(REFUSALS, {})
        return refusals.get((self.purpose, self.channel), "unknown")
