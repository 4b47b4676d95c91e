"""The fields that a journey's form shows: those of the definition, and of each step type there is."""

from dataclasses import dataclass
from typing import Final

from customers.authoring.describe import Field, struct_fields
from customers.hints import Text
from journeys.definition import Definition
from journeys.steps.base import step_types

# The field by which a step names its type.
TYPE: Final = "type"


@dataclass(frozen=True, slots=True)
class StepForm:
    """What authors see of a step type."""

    tag: str
    label: Text
    help: Text
    fields: tuple[Field, ...]


def definition_fields() -> tuple[Field, ...]:
    return struct_fields(Definition)


def step_forms() -> dict[str, StepForm]:
    """A form for each step type there is, by its tag: the registry decides, at the time of asking."""
    return {
        tag: StepForm(tag, cls.label or tag.replace("_", " "), cls.help, struct_fields(cls))
        for tag, cls in step_types().items()
    }
