"""What can be wrong with a mapping, or with a document read by one: a code and the two places it concerns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.hints import Text

# What is said of each code, and what to do. No text quotes a value: problems are kept and shown beside bodies.
WORDS: Mapping[str, tuple[Text, Text]] = MappingProxyType(
    {
        "invalid_mapping": (_("This is not written as a mapping is."), ""),
        "invalid_path": (
            _("This is no path."),
            _("Write /orders/0/id from the top, ./id in a list's item, or headers:/name. What is fixed is a constant."),
        ),
        "no_item": (_("There is no item here."), _("Paths with a dot first need a list: name it under each.")),
        "one_origin": (
            _("The value comes from one place."),
            _("Give one of path, first, join and constant."),
        ),
        "one_test": (_("A condition asks one thing."), _("Give one of is, is_not and present.")),
        "key_twice": (_("Another event has this key."), _("Give every event a key of its own.")),
        "invalid_key": (_("This is no key."), _("Up to 32 small letters, digits, dashes and underscores.")),
        "missing_name": (_("An event needs a name."), _("Add name, such as a constant.")),
        "missing_identifiers": (_("An event is about somebody."), _("Add one or more identifiers.")),
        "missing_key": (_("A product needs its key."), _("Add key to its properties.")),
        "thing_refused": (
            _("What it says of the product is not as it should be."),
            _("Look at the place, and at what this field may be; then have the body interpreted again."),
        ),
        "missing_group": (_("A group needs its id."), _("Add group.")),
        "missing_previous": (_("An alias tells one former name."), _("Add one identifier under previous.")),
        "not_for_type": (_("Messages of this type have no such field."), _("Leave it out.")),
        "constant_identifier": (
            _("A constant would make everybody the same person."),
            _("Read the identifier from the document."),
        ),
        "invalid_field_name": (
            _("This is no name that a property can have."),
            _("Up to 64 letters, digits, dots and underscores, a letter first."),
        ),
        "unknown_zone": (_("There is no such time zone."), _("Write it as America/Sao_Paulo.")),
        "invalid_format": (
            _("This is no format of a time."),
            _("Write iso, epoch_seconds, epoch_milliseconds, or letters such as %d/%m/%Y %H:%M."),
        ),
        "zone_missing": (_("This format tells no time zone."), _("Name the zone that the sender writes in.")),
        "same_separators": (_("Decimal and thousands look alike."), _("Choose two different signs.")),
        "no_events": (_("The mapping makes nothing."), _("Add an event.")),
        "too_many_events": (_("Too many kinds of events."), _("At most 20: make two hooks of it.")),
        "too_many_fields": (_("Too many fields."), _("At most 200 for an event.")),
        "too_many_tests": (_("Too many conditions."), _("At most 20 for an event.")),
        "too_many_steps": (_("Too many steps."), _("At most 10 for a value.")),
        "missing_value": (
            _("The document does not have this value."),
            _("Correct the path, give a default, or do not require it."),
        ),
        "not_text": (_("The value is not text."), _("Add the step text.")),
        "not_a_list": (_("This is no list."), _("each names a list.")),
        "not_a_number": (_("The value is no number of this form."), _("Look at the signs for decimals and thousands.")),
        "number_out_of_range": (_("The number is too large or has too many digits."), _("Keep it as text.")),
        "not_whole": (_("The number is not whole."), _("Shift its point further, or do not ask for a whole number.")),
        "not_a_boolean": (_("The value is none of the words for yes and no."), _("Add it to one of the lists.")),
        "not_a_time": (_("The value is no moment of this form."), _("Look at the format and the zone.")),
        "not_in_table": (_("The table has no such value."), _("Add it, or say what otherwise holds.")),
        "text_too_long": (_("The text is too long."), _("At most 10,000 characters.")),
        "too_many_items": (_("The document makes too many events."), _("At most 1,000 from one document.")),
        "not_storable": (
            _("The event holds a number or a text that cannot be kept."),
            _("Leave the field out."),
        ),
        "event_too_large": (_("The event is too large."), _("At most 64 KB: take fewer fields.")),
        "result_too_large": (_("All events together are too large."), _("At most 4 MB from one document.")),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is a JSON pointer into the mapping, `pointer` a path into the document it was asked to read."""

    code: str
    field: str
    pointer: str = ""
    # What the reader of the mapping's own form said, in its words.
    detail: str = ""

    @property
    def message(self) -> Text:
        return WORDS[self.code][0]

    @property
    def hint(self) -> Text:
        return self.detail or WORDS[self.code][1]

    def as_json(self) -> dict[str, Any]:
        """As it is kept: its words are found by the code, in the language of whoever reads them."""
        return {"code": self.code, "field": self.field, "pointer": self.pointer[:500]}


class MappingError(ValueError):
    """A mapping that cannot be used; `problems` are what is wrong with it, at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(f"{one.field or '/'}: {one.code}" for one in self.problems)
