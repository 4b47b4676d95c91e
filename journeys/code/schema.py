"""The JSON Schema of a journey's file, for editors: made of the structs that read it, with the words of the forms."""

from typing import Any

import msgspec

from customers.authoring.describe import struct_fields
from journeys.code.file import JourneyFile
from journeys.definition import Definition, Entry
from journeys.ends import ExitEvent, ExitRule, Expiry
from journeys.entry.parts import EntryCap, Ramp
from journeys.entry.schedule import Schedule
from journeys.steps.base import step_types, step_union

_HERE = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12; rules are open, as leaf kinds are told by the apps that own them."""
    (file, definition, steps), components = msgspec.json.schema_components(
        [JourneyFile, Definition, list[step_union()]],  # type: ignore[misc]  # the union is the registry's
        ref_template=_HERE,
    )
    structs: list[type[msgspec.Struct]] = [Definition, Entry, Schedule, EntryCap, Ramp, ExitEvent, ExitRule, Expiry]
    structs += step_types().values()
    for struct in structs:
        properties = components[struct.__name__]["properties"]
        for one in struct_fields(struct):
            said = {"title": str(one.label), "description": str(one.hint.help)}
            properties[one.name] |= {name: text for name, text in said.items() if text}
    components["JourneyFile"]["properties"]["definition"] = definition
    components["Definition"]["properties"]["steps"] = steps
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **file, "$defs": components}
