"""Schemas, versions and events made at random: by a seed, as thousands of them are asked for."""

from random import Random
from typing import Any

NAMES = ("a", "b", "c")
SCALARS = (None, True, False, -2, 0, 1, 2, 3, 5, 0.5, 1.0, 2.5, "", "x", "xy", "1", "true", "0.5", "-7")
_MOST_DEEP = 3
_FEW_TYPES = ("boolean", "null", ["string", "null"], ["integer", "object"])


class Maker(Random):
    def often(self, of_ten: int) -> bool:
        return self.randrange(10) < of_ten

    def value(self, depth: int = 0) -> Any:
        kind = self.randrange(8) if depth < _MOST_DEEP else 0
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.randrange(3))]
        if kind == 7:
            return self.event(depth + 1)
        return self.choice(SCALARS)

    def event(self, depth: int = 0) -> dict[str, Any]:
        return {name: self.value(depth) for name in NAMES if self.often(5)}

    def schema(self, depth: int = 0) -> Any:
        if depth < _MOST_DEEP and self.often(4):
            made = self.choice((self.lists, self.objects, self.combined))(depth + 1)
            return made
        return self.choice((self.numbers, self.texts, self.plain))()

    def plain(self) -> Any:
        return self.choice(
            (
                {},
                True,
                {"type": self.choice(_FEW_TYPES)},
                {"enum": [self.choice(SCALARS) for _ in range(2)]},
                {"const": self.choice(SCALARS)},
            )
        )

    def numbers(self) -> dict[str, Any]:
        made: dict[str, Any] = {"type": self.choice(("integer", "number"))}
        for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if self.often(2):
                made[word] = self.randint(-2, 4)
        if self.often(2):
            made["multipleOf"] = self.choice((1, 2, 0.5))
        return made

    def texts(self) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "string"}
        for word in ("minLength", "maxLength"):
            if self.often(3):
                made[word] = self.randrange(3)
        if self.often(2):
            made["pattern"] = self.choice(("^x", "y$"))
        return made

    def lists(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "array"}
        if self.often(6):
            made["items"] = self.schema(depth)
        if self.often(3):
            made["prefixItems"] = [self.schema(depth) for _ in range(self.randint(1, 2))]
        for word in ("minItems", "maxItems"):
            if self.often(3):
                made[word] = self.randrange(3)
        if self.often(2):
            made["uniqueItems"] = True
        return made

    def objects(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {"properties": {name: self.schema(depth) for name in NAMES if self.often(6)}}
        if self.often(7):
            made["type"] = "object"
        if self.often(4):
            made["required"] = self.sample(NAMES, self.randint(1, 2))
        if self.often(3):
            made["additionalProperties"] = self.choice((True, False, self.schema(depth)))
        if self.often(1):
            made["patternProperties"] = {"^c": self.schema(depth)}
        if self.often(1):
            made["minProperties"] = 1
        if self.often(1):
            made["dependentRequired"] = {"a": ["b"]}
        return made

    def combined(self, depth: int) -> dict[str, Any]:
        word = self.choice(("anyOf", "anyOf", "oneOf", "allOf", "not"))
        if word == "not":
            return {"not": self.schema(depth)}
        if word == "allOf":
            return {word: [self.choice((self.numbers, self.texts, self.plain))(), self.objects(depth)]}
        return {word: [self.schema(depth) for _ in range(self.randint(1, 2))]}

    def root(self) -> dict[str, Any]:
        made = self.objects(0)
        if self.often(2):
            word = self.choice(("anyOf", "oneOf", "allOf"))
            made[word] = [self.objects(_MOST_DEEP) for _ in range(2)]
        if self.often(2):
            made["$defs"] = {"d": self.schema(1)}
            made["properties"] |= {self.choice(NAMES): {"$ref": "#/$defs/d"}}
        return made

    def version_after(self, root: dict[str, Any]) -> dict[str, Any]:
        """A schema that differs in a little, as versions do."""
        made = {**root, "properties": dict(root["properties"])}
        for _ in range(self.randrange(3)):
            name = self.choice(NAMES)
            match self.randrange(6):
                case 0:
                    made["properties"].setdefault(name, self.schema(1))
                case 1:
                    made["properties"].pop(name, None)
                case 2:
                    made["required"] = self.sample(NAMES, self.randrange(2))
                case 3 if name in made["properties"]:
                    made["properties"][name] = {"anyOf": [made["properties"][name], self.plain()]}
                case 4 if isinstance(made["properties"].get(name), dict):
                    made["properties"][name] = self._less(made["properties"][name])
                case 5:
                    made["additionalProperties"] = self.choice((True, False))
        return made

    def _less(self, schema: dict[str, Any]) -> dict[str, Any]:
        gone = self.choice([*schema, ""])
        return {word: value for word, value in schema.items() if word != gone}


# Words whose values are schemas of other values than the schema's own.
_INSIDE = ("properties", "patternProperties", "$defs")


def closed(schema: Any, *, own: bool = True) -> Any:
    """The schema in which every object that names properties, and is not declared open, is closed."""
    if not isinstance(schema, dict):
        return schema
    names = any(word in schema for word in ("properties", "patternProperties"))
    names |= any("properties" in one for one in schema.get("allOf", ()) if isinstance(one, dict))
    made: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _INSIDE:
            made[word] = {name: closed(one) for name, one in value.items()}
        elif word in ("items", "additionalProperties"):
            made[word] = closed(value)
        elif word == "prefixItems":
            made[word] = [closed(one) for one in value]
        elif word in ("anyOf", "oneOf", "allOf"):
            made[word] = [closed(one, own=own and not names) for one in value]
        else:
            made[word] = value
    if own and names and "additionalProperties" not in schema:
        made["unevaluatedProperties"] = False
    return made
