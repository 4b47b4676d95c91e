"""Whether whoever reads one schema can read what was written by another, and which places stand in the way.

An object that names properties counts as closed, holding nothing else, unless it is declared open by
`additionalProperties` (or `unevaluatedProperties`); one of which nothing is said holds anything. Otherwise hardly any
property could ever be added: an older event might hold something else under its name. The check errs on the side of
no: what it cannot tell is a breach.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.registry.flat import OPAQUE, Flat, Schema, flatten, same

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

BACKWARD: Final = "backward"
FORWARD: Final = "forward"
FULL: Final = "full"
NONE: Final = "none"
DIRECTIONS: Final = {BACKWARD: (BACKWARD,), FORWARD: (FORWARD,), FULL: (BACKWARD, FORWARD), NONE: ()}
# Beyond so many ways in which a writer's schema can hold, or so deep, nobody can tell.
_MOST_WAYS: Final = 64
_DEEPEST: Final = 40
_MOST_LOOKS: Final = 20_000
# Words by which an object may hold what it does not name.
_LOOSE: Final = ("patternProperties", "if", "then", "else", "dependentSchemas")
# What an event says is an object, whether its schema says so or not.
_EVENT: Final = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Breach:
    """`path` leads into the data, `*` for any member of a list; `direction` says whose reading fails."""

    path: str
    code: str
    text: "_StrOrPromise"
    direction: str = BACKWARD


def compare(old: Schema, new: Schema, mode: str) -> list[Breach]:
    """What keeps `new` from following `old` in this mode; nothing: it may."""
    found: list[Breach] = []
    for direction in DIRECTIONS[mode]:
        writer, reader = (old, new) if direction == BACKWARD else (new, old)
        met = _Check(_defs(writer), _defs(reader)).whole(writer, reader)
        found += [Breach(path, code, text, direction) for path, code, text in dict.fromkeys(met)]
    return found


_Found = tuple[str, str, "_StrOrPromise"]


def _defs(schema: Schema) -> Mapping[str, Schema]:
    return schema.get("$defs", {}) if isinstance(schema, dict) else {}


class _Check:
    """One comparison; `open` are the pairs that are being compared further out, which hold if those do."""

    def __init__(self, writers: Mapping[str, Schema], readers: Mapping[str, Schema]) -> None:
        self.writers, self.readers = writers, readers
        self.open: list[tuple[list[Schema], list[Schema], str]] = []
        self.looks = 0
        # With other definitions the same words may mean something else.
        self.same_defs = same(dict(writers), dict(readers))

    def whole(self, writer: Schema, reader: Schema) -> Iterator[_Found]:
        yield from self._contained([_EVENT, writer], [reader], "")

    def contained(self, writer: Schema, reader: Schema, path: str) -> Iterator[_Found]:
        """Why something that fits `writer` may not fit `reader`."""
        if not (self.same_defs and same(writer, reader)):
            yield from self._contained([writer], [reader], path)

    def _contained(self, writer: list[Schema], reader: list[Schema], path: str) -> Iterator[_Found]:
        for held, asked, above in self.open:
            if same(held, writer) and same(asked, reader):
                # Further inside, it holds if it holds outside; at the same place it leads in a circle.
                if above == path:
                    yield path, "circle", _("Refers to itself: it cannot be told.")
                return
        self.looks += 1
        if len(self.open) > _DEEPEST or self.looks > _MOST_LOOKS:
            yield path, "too_deep", _("Too deep, or too much, to tell.")
            return
        self.open.append((writer, reader, path))
        try:
            yield from self._ways(writer, reader, path)
        finally:
            self.open.pop()

    def _ways(self, writer: list[Schema], reader: list[Schema], path: str) -> Iterator[_Found]:
        read = flatten(reader[0], self.readers, *reader[1:])
        ways = self._ways_of(writer)
        if ways is None:
            yield path, "too_many_ways", _("Too many alternatives to tell.")
            return
        for written in ways:
            if not written.nothing:
                yield from self._one_way(written, read, reader, path)

    def _ways_of(self, writer: list[Schema]) -> list[Flat] | None:
        """The writer's schema as alternatives without branches, or None where there are too many."""
        done: list[Flat] = []
        waiting = [writer]
        while waiting:
            if len(done) + len(waiting) > _MOST_WAYS:
                return None
            conjuncts = waiting.pop()
            flat = flatten(conjuncts[0], self.writers, *conjuncts[1:])
            if not flat.branches:
                done.append(flat)
                continue
            word, branches = flat.branches[0]
            # What was branched stays among the conjuncts; its other groups are branched in their turn.
            rest = flat_as_schema(flat, 1)
            waiting += [[rest, branch, *self._besides(word, rest, branch, branches)] for branch in branches]
        return done

    def _besides(self, word: str, rest: Schema, branch: Schema, branches: list[Schema]) -> list[Schema]:
        """What an object of this branch may hold since another branch of `anyOf` fits it too."""
        if word == "oneOf":
            return []
        own = flatten(rest, self.writers, branch).words.get("properties", {})
        names: dict[str, list[Schema]] = {}
        for other in (flatten(one, self.writers) for one in branches if one is not branch):
            if other.branches or other.words.get("additionalProperties") or any(one in other.words for one in _LOOSE):
                return [{"additionalProperties": True}]
            for name, schema in other.words.get("properties", {}).items():
                if name not in own:
                    names.setdefault(name, []).append(schema)
        return [{"properties": {name: {"anyOf": schemas} for name, schemas in names.items()}}] if names else []

    def _one_way(self, written: Flat, read: Flat, reader: list[Schema], path: str) -> Iterator[_Found]:
        if read.nothing:
            yield path, "not_allowed", _("Nothing is allowed here any more.")
            return
        if written.values is not None:
            yield from self._values(written.values, reader, path)
            return
        for word in sorted(read.lost - ({"prefixItems"} if "array" not in written.types else set())):
            yield path, word, _("Described in several places at once: whether it may follow cannot be told.")
        yield from self._plain(written, read, path)
        for index, (word, branches) in enumerate(read.branches):
            yield from self._branches(written, read, index, word, branches, path)

    def _values(self, values: list[Any], reader: list[Schema], path: str) -> Iterator[_Found]:
        """A few values: whether each of them fits can simply be asked."""
        asked = {"$defs": dict(self.readers), "allOf": [_bare(one) for one in reader]}
        validator = _validator(asked)
        if validator is None or not all(validator.is_valid(value) for value in values):
            yield path, "enum", _("Not every value of the list is allowed.")

    def _branches(
        self, written: Flat, read: Flat, index: int, word: str, branches: list[Schema], path: str
    ) -> Iterator[_Found]:
        base = flat_as_schema(read, None)
        lone = flat_as_schema(written, None)
        fits = [i for i, branch in enumerate(branches) if not list(self._contained([lone], [base, branch], path))]
        if not fits:
            yield path, word, _("None of the alternatives takes all that may be there.")
        elif word == "oneOf":
            others = [branch for i, branch in enumerate(branches) if i != fits[0]]
            if not all(self._apart(written, flatten(other, self.readers)) for other in others):
                yield path, word, _("More than one alternative may take it, of which only one may.")

    def _apart(self, one: Flat, other: Flat) -> bool:
        """Whether nothing can fit both: by its type, by its values, or by a property that both require."""
        if one.nothing or other.nothing or not (one.types & other.types):
            return True
        if one.values is not None and other.values is not None:
            return not any(same(a, b) for a in one.values for b in other.values)
        if one.types & other.types != {"object"}:
            return False
        for name in {*one.words.get("required", ())} & {*other.words.get("required", ())}:
            mine = flatten(one.words.get("properties", {}).get(name, True), self.writers)
            theirs = flatten(other.words.get("properties", {}).get(name, True), self.readers)
            if mine.values is not None and theirs.values is not None and self._apart(mine, theirs):
                return True
        return False

    def _plain(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        """The words of the two, without branches."""
        excess = written.types - read.types
        if excess:
            names = ", ".join(sorted(excess))
            yield path, "type", format_lazy(_("May be of a type that is not allowed: {types}."), types=names)
        if read.values is not None:
            # A yes or no is a list of values as well.
            few: dict[str, list[Any]] = {"boolean": [True, False], "null": [None]}
            possible = [value for kind in written.types for value in few.get(kind, ())]
            listed = read.values
            if not written.types <= few.keys() or not all(any(same(v, one) for one in listed) for v in possible):
                yield path, "enum", _("May be something that is not on the list.")
        types = written.types & read.types
        for kinds, check in _FAMILIES:
            if types & kinds:
                yield from check(self, written, read, path)
        yield from self._opaque(written, read, path)

    def _opaque(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        for word in OPAQUE:
            for wanted in read.opaque.get(word, ()):
                known = self.same_defs or "$ref" not in str(wanted)
                if not known or not any(same(wanted, one) for one in written.opaque.get(word, ())):
                    yield (
                        path,
                        word,
                        format_lazy(_("The word {word} differs: whether it fits cannot be told."), word=word),
                    )

    def numbers(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        for word in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
            if word in read.words and not _within(written.words, word, read.words[word]):
                yield path, word, _("May be beyond the bound.")
        for wanted in read.words.get("multipleOf", ()):
            steps = [*written.words.get("multipleOf", ()), *([] if "number" in written.types else [1])]
            if not any(Decimal(str(step)) % Decimal(str(wanted)) == 0 for step in steps):
                yield path, "multipleOf", _("May be something between the steps.")

    def texts(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        yield from _sizes(written, read, path, "minLength", "maxLength")
        for pattern in read.opaque.get("pattern", ()):
            if pattern not in written.opaque.get("pattern", ()):
                yield path, "pattern", _("May not match the pattern.")

    def lists(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        yield from _sizes(written, read, path, "minItems", "maxItems")
        if read.words.get("uniqueItems") and not written.words.get("uniqueItems"):
            yield path, "uniqueItems", _("May hold something twice.")
        mine, theirs = written.words.get("prefixItems", []), read.words.get("prefixItems", [])
        rest, wanted = written.words.get("items", True), read.words.get("items", True)
        most = written.words.get("maxItems")
        places = max(len(mine), len(theirs))
        for place in range(places if most is None else min(places, int(most))):
            held = mine[place] if place < len(mine) else rest
            asked = theirs[place] if place < len(theirs) else wanted
            yield from self.contained(held, asked, f"{path}/{place}")
        if most is None or most > places:
            yield from self.contained(rest, wanted, f"{path}/*")

    def objects(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        yield from _sizes(written, read, path, "minProperties", "maxProperties")
        required = written.words.get("required", ())
        for name in read.words.get("required", ()):
            if name not in required:
                yield f"{path}/{_escaped(name)}", "required", _("Is required, and may be missing.")
        yield from self._depending(written, read, path)
        mine, theirs = written.words.get("properties", {}), read.words.get("properties", {})
        rest, wanted = _rest(written), _rest(read)
        if any(word in written.words and word not in read.words for word in _LOOSE):
            rest = True
        for name in sorted({*mine, *theirs}):
            here = f"{path}/{_escaped(name)}"
            held, asked = mine.get(name, _unnamed(written)), theirs.get(name, wanted)
            if held is False:
                continue
            if asked is False:
                yield here, "removed", _("Is no longer known, and the object is closed.")
            elif name not in mine:
                for _path, _code, _text in self.contained(held, asked, here):
                    text = _("An open object may have held something else under this name.")
                    yield here, "added_to_open", text
                    break
            else:
                yield from self.contained(held, asked, here)
        if rest is not False:
            yield from self._others(rest, wanted, path)

    def _others(self, rest: Schema, wanted: Schema, path: str) -> Iterator[_Found]:
        if wanted is False:
            yield path, "additionalProperties", _("Was open, and is closed.")
        else:
            yield from self.contained(rest, wanted, f"{path}/*")

    def _depending(self, written: Flat, read: Flat, path: str) -> Iterator[_Found]:
        required, known = set(written.words.get("required", ())), written.words.get("dependentRequired", {})
        for name, names in read.words.get("dependentRequired", {}).items():
            absent = written.words.get("properties", {}).get(name, _unnamed(written)) is False
            if not absent and not set(names) <= required | set(known.get(name, ())):
                yield f"{path}/{_escaped(name)}", "dependentRequired", _("May come without what it requires.")


_FAMILIES: Final[tuple[tuple[frozenset[str], Callable[[_Check, Flat, Flat, str], Iterator[_Found]]], ...]] = (
    (frozenset({"integer", "number"}), _Check.numbers),
    (frozenset({"string"}), _Check.texts),
    (frozenset({"array"}), _Check.lists),
    (frozenset({"object"}), _Check.objects),
)


def flat_as_schema(flat: Flat, branched: int | None) -> dict[str, Any]:
    """The flattened schema as a schema again: without its first `branched` groups of branches, None: without any."""
    words = {key: value for key, value in flat.words.items() if key not in (*OPAQUE, "pattern", "multipleOf", "type")}
    if "type" in flat.words:
        words["type"] = sorted(flat.words["type"])
    groups = [] if branched is None else flat.branches[branched:]
    singles = [{word: one} for word, values in flat.opaque.items() for one in values]
    singles += [{"multipleOf": one} for one in flat.words.get("multipleOf", ())]
    singles += [{word: branches} for word, branches in groups]
    return {**words, "allOf": singles} if singles else words


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "$defs"} if isinstance(schema, dict) else schema


def _validator(schema: Schema) -> jsonschema_rs.Validator | None:
    try:
        return jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


def _rest(flat: Flat) -> Schema:
    """What else the object may hold; what patterns allow besides, `_opaque` asks to be the same."""
    told = flat.words.get("additionalProperties")
    if told is None:
        return "properties" not in flat.words and "patternProperties" not in flat.words
    return told


def _unnamed(flat: Flat) -> Schema:
    """What the object may hold under a name it does not name."""
    return True if any(word in flat.words for word in _LOOSE) else _rest(flat)


def _within(words: Mapping[str, Any], word: str, bound: Any) -> bool:
    """Whether the writer's bounds imply this one of the reader's."""
    inclusive, exclusive = (
        ("minimum", "exclusiveMinimum") if word.endswith("inimum") else ("maximum", "exclusiveMaximum")
    )
    sign = 1 if word.endswith("inimum") else -1
    if exclusive in words and sign * words[exclusive] >= sign * bound:
        return True
    if inclusive not in words:
        return False
    told = sign * words[inclusive]
    return bool(told > sign * bound if word == exclusive else told >= sign * bound)


def _sizes(written: Flat, read: Flat, path: str, least: str, most: str) -> Iterator[_Found]:
    if written.words.get(least, 0) < read.words.get(least, 0):
        yield path, least, _("May be shorter than is allowed.")
    if most in read.words and written.words.get(most, float("inf")) > read.words[most]:
        yield path, most, _("May be longer than is allowed.")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
