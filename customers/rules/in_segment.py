"""Leaf kind `segment`: whether the customer is in another segment, or on a list, of the same brand."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.models import Segment
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, PEOPLE, WALK, Facts, Holds
from customers.rules.leaf import Leaf as Base
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import NAME

if TYPE_CHECKING:
    from customers.sight import Person

# By which facts bring the keys of the segments that a customer is in.
SEGMENTS: Final = "segments"
_IN = (
    "EXISTS (SELECT 1 FROM customers_segmentmembership m WHERE m.customer_id = c.id AND m.segment_id ="
    " (SELECT s.id FROM customers_segment s WHERE s.brand_id = %s AND s.key = %s) AND {})"
)


class InSegment(Base, frozen=True):
    """SQL reads `c`, a row of customers_customer."""

    kind: ClassVar[str] = "segment"
    label: ClassVar[Text] = _("Is in a segment or on a list")
    inputs: ClassVar[frozenset[str]] = frozenset({"segments"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE, WALK})

    key: Annotated[str, form(_("segment"), refers="segment")]

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        return gettext("is in the segment %(key)s") % {"key": said.get("key", BLANK)}

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        seen = Segment.objects.visible_to(user).filter(brand=brand_id).exclude(state=Segment.State.ARCHIVED)
        return {"segment": ((key, f"{name} ({key})") for key, name in seen.values_list("key", "name"))}

    @property
    def segments(self) -> frozenset[str]:
        return frozenset({self.key})

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.key):
            yield Problem("name_invalid", "/key", _("This cannot be a segment."), _("Give the key of a segment."))

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        there = Segment.objects.filter(brand=brand_id, key=self.key).exclude(state=Segment.State.ARCHIVED)
        if not there.exists():
            message = format_lazy(_("There is no segment {key}."), key=self.key)
            yield Problem("unknown_segment", "/key", message, _("Use the key of a segment of this brand."))

    def python(self) -> Holds:
        return lambda facts: self.key in facts.extra.get(SEGMENTS, ())

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        return {f"segment.{self.key}": self.key in facts.extra.get(SEGMENTS, ())}

    def sql(self, reading: Reading) -> Fragment:
        return _IN.format("m.left_at IS NULL"), [reading.brand_id, self.key]

    def as_of(self, reading: Reading) -> Fragment:
        then = "m.entered_at <= %s AND (m.left_at IS NULL OR m.left_at > %s)"
        return _IN.format(then), [reading.brand_id, self.key, reading.now, reading.now]
