"""Bodies read strictly: known fields only, each of its own type, every fault with its place."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from customers.accept.refusal import Refusal, Refused, pointer

# DRF's codes in our words.
_CODES = {
    "required": "missing_field",
    "null": "wrong_type",
    "invalid": "wrong_type",
    "not_a_list": "wrong_type",
    "not_a_dict": "wrong_type",
    "blank": "missing_field",
    "max_length": "too_long",
    "min_length": "too_short",
    "invalid_choice": "unknown_value",
    "max_value": "out_of_range",
    "min_value": "out_of_range",
}
_HINTS = {
    "missing_field": "Send it.",
    "wrong_type": "See the field's type in the API's description.",
    "unknown_field": "Leave it out.",
    "too_long": "Send less.",
    "out_of_range": "Send a number within the range that the API's description tells.",
    "too_short": "Send one at least.",
    "unknown_value": "Send one of those the API's description lists.",
}


class RefusedFields(Refused):
    """Everything that is wrong with a body, the first fault leading."""

    def __init__(self, faults: list[Refusal]) -> None:
        first, *self.others = faults
        super().__init__(first.code, first.message, first.hint, first.pointer)


class Body(serializers.Serializer[Any]):
    """The shape of a body that is refused for what it should not hold. Of the fields in `one_of` it has one;
    `others` describes fields whose names the installation decides, of which it has one at least."""

    one_of: ClassVar[tuple[str, ...]] = ()
    others: ClassVar[Mapping[str, Any] | None] = None

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the fields that were sent, or RefusedFields."""
        body = cls(data=value)
        if not body.is_valid():
            raise RefusedFields(list(_faults(body.errors, ())))
        return dict(body.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not dict:
            raise serializers.ValidationError({"": [ErrorDetail("An object is wanted.", "not_a_dict")]})
        unknown = [name for name in data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError(
                {name: [ErrorDetail("There is no such field.", "unknown_field")] for name in unknown}
            )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text that was sent as text: a number is not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if type(data) is not str:
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not str:
            self.fail("invalid_choice", input="")
        return super().to_internal_value(data)


class Id(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not str:
            self.fail("invalid", value="")
        return super().to_internal_value(data)


class Number(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Day(serializers.DateField):
    """A day as ISO 8601 writes it, and nothing else that could be read as one."""

    def to_internal_value(self, value: Any) -> Any:
        if type(value) is not str:
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class Document(serializers.DictField):
    """A JSON object, taken as it stands."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not dict:
            self.fail("not_a_dict", input_type="")
        return data


class Moment(serializers.DateTimeField):
    """Read later, by the rule for every time that partners tell; here only its type is looked at."""

    def to_internal_value(self, value: Any) -> Any:
        if type(value) is not str:
            self.fail("invalid", format="ISO 8601")
        return value

    def to_representation(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


def _faults(errors: Any, path: tuple[str | int, ...]) -> Iterator[Refusal]:
    if isinstance(errors, Mapping):
        for name, held in errors.items():
            yield from _faults(held, path if name in ("", "non_field_errors") else (*path, name))
        return
    for number, error in enumerate(errors):
        if isinstance(error, ErrorDetail):
            code = _CODES.get(error.code or "", error.code or "invalid")
            yield Refusal(code, _message(code, error), _HINTS.get(code, ""), pointer(*path))
        else:
            yield from _faults(error, (*path, number))


def _message(code: str, error: ErrorDetail) -> str:
    """DRF's own words, but where they quote the value."""
    if code == "unknown_value":
        return "Not one of the values this field can have."
    return "Of the wrong type." if code == "wrong_type" else str(error)
