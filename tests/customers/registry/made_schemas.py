"""Schemas and what fits them, made at random."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 6), st.sampled_from([0.5, 1.0, 2.5]), st.sampled_from(["", "x", "xy", "1"])
)


def values() -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
        max_leaves=5,
    )


@st.composite
def _numbers(draw: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if draw(st.integers(0, 3)) == 0:
            made[word] = draw(st.integers(-2, 4))
    if draw(st.integers(0, 3)) == 0:
        made["multipleOf"] = draw(st.sampled_from([1, 2, 0.5]))
    return made


@st.composite
def _texts(draw: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    if draw(st.booleans()):
        made["minLength"] = draw(st.integers(0, 2))
    if draw(st.booleans()):
        made["maxLength"] = draw(st.integers(0, 2))
    if draw(st.integers(0, 3)) == 0:
        made["pattern"] = draw(st.sampled_from(["^x", "y$"]))
    return made


_PLAIN = st.one_of(
    _numbers(),
    _texts(),
    st.just({}),
    st.just(True),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"type": ["integer", "object"]}]),
    st.builds(lambda values: {"enum": values}, st.lists(SCALARS, min_size=1, max_size=3)),
    st.builds(lambda value: {"const": value}, SCALARS),
)


@st.composite
def _lists(draw: Any, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "array"}
    for word, what in (("items", inner), ("prefixItems", st.lists(inner, min_size=1, max_size=2))):
        if draw(st.booleans()):
            made[word] = draw(what)
    for word in ("minItems", "maxItems"):
        if draw(st.integers(0, 2)) == 0:
            made[word] = draw(st.integers(0, 2))
    if draw(st.integers(0, 3)) == 0:
        made["uniqueItems"] = True
    return made


@st.composite
def objects(draw: Any, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"properties": draw(st.dictionaries(NAMES, inner, max_size=3))}
    if draw(st.integers(0, 3)):
        made["type"] = "object"
    if draw(st.booleans()):
        made["required"] = draw(st.lists(NAMES, unique=True, max_size=2))
    if draw(st.integers(0, 2)) == 0:
        made["additionalProperties"] = draw(st.one_of(st.booleans(), inner))
    if draw(st.integers(0, 5)) == 0:
        made["patternProperties"] = {"^c": draw(inner)}
    if draw(st.integers(0, 5)) == 0:
        made["minProperties"] = 1
    if draw(st.integers(0, 5)) == 0:
        made["dependentRequired"] = {"a": ["b"]}
    return made


def schemas() -> st.SearchStrategy[Any]:
    return st.recursive(_PLAIN, lambda inner: st.one_of(_lists(inner), objects(inner), _combined(inner)), max_leaves=6)


@st.composite
def _combined(draw: Any, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    word = draw(st.sampled_from(["anyOf", "anyOf", "oneOf", "allOf", "not"]))
    if word == "not":
        return {"not": draw(inner)}
    return {word: draw(st.lists(inner, min_size=1, max_size=2))}


@st.composite
def roots(draw: Any) -> dict[str, Any]:
    made = draw(objects(schemas()))
    if draw(st.integers(0, 3)) == 0:
        made |= draw(_combined(objects(_PLAIN)))
    if draw(st.integers(0, 3)) == 0:
        made["$defs"] = {"d": draw(schemas())}
        made["properties"] = made["properties"] | {draw(NAMES): {"$ref": "#/$defs/d"}}
    return made


@st.composite
def changed(draw: Any, root: dict[str, Any]) -> dict[str, Any]:
    """A schema that differs in a little, as versions do."""
    made = {**root, "properties": dict(root["properties"])}
    for _ in range(draw(st.integers(0, 2))):
        what = draw(st.sampled_from(["add", "drop", "required", "loosen", "open"]))
        name = draw(NAMES)
        if what == "add":
            made["properties"][name] = draw(schemas())
        elif what == "drop":
            made["properties"].pop(name, None)
        elif what == "required":
            made["required"] = draw(st.lists(NAMES, unique=True, max_size=2))
        elif what == "loosen" and name in made["properties"]:
            made["properties"][name] = {"anyOf": [made["properties"][name], draw(_PLAIN)]}
        elif what == "open":
            made["additionalProperties"] = draw(st.booleans())
    return made


# Words whose values are schemas of other values than the schema's own.
_INSIDE = ("properties", "patternProperties", "$defs")


def closed(schema: Any, *, own: bool = True) -> Any:
    """The schema in which every object that is not declared open is closed."""
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _INSIDE:
            made[word] = {name: closed(one) for name, one in value.items()}
        elif word in ("items", "additionalProperties"):
            made[word] = closed(value)
        elif word == "prefixItems":
            made[word] = [closed(one) for one in value]
        elif word in ("anyOf", "oneOf", "allOf"):
            made[word] = [closed(one, own=False) for one in value]
        else:
            made[word] = value
    if own and "additionalProperties" not in schema and "$ref" not in schema:
        made["unevaluatedProperties"] = False
    return made
