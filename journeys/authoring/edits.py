"""Changes to a document that buttons make: adding, removing, moving and copying steps and rows; all can be undone
by the form's own state, so none of them touches what is stored."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from journeys.authoring import rule_form
from journeys.authoring.describe import TYPE, step_forms
from journeys.authoring.outline import subtree_end
from journeys.authoring.references import items, references, step_references
from journeys.definition import InvalidDefinition, parse
from journeys.validate import MAX_STEPS, needed_moves

# A step reference that begins so asks for a new step of the type that follows.
NEW: Final = "+"
_NUMBERED = re.compile(r"-\d+$")


class CannotEdit(Exception):
    """The button's part of the document is not there (any more)."""


@dataclass(slots=True)
class Removal:
    """What was taken out, and what it takes to put it back. Pointers name steps by `=id`, not by number."""

    holder: str
    index: int
    item: Any
    name: str
    # References that were led past a removed step: (pointer, what it led to before, and since).
    led: list[tuple[str, str, str]] = field(default_factory=list)
    moves: list[Any] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Edited:
    """`focus` is the pointer of what a person wants to see next, `said` what happened in words."""

    focus: str = ""
    said: str = ""
    removal: Removal | None = None


def apply(document: dict[str, Any], order: str) -> Edited:
    """Do as a button says: `verb:pointer`, for new steps `step:type:after`. Raises CannotEdit."""
    verb, _colon, rest = order.partition(":")
    act = _VERBS.get(verb)
    if act is None:
        raise CannotEdit(order)
    return act(document, rest)


def grow(document: dict[str, Any]) -> str:
    """Make the steps that references ask for; returns the pointer of the last one made, or nothing."""
    made = ""
    while True:
        asking = next((one for one in references(document, "step") if _asks(one.value)), None)
        if asking is None or len(items(document, "steps")) >= MAX_STEPS:
            return made
        asker = int(asking.pointer.split("/")[2]) if asking.pointer.startswith("/steps/") else -1
        step = _new_step(document, asking.value.removeprefix(NEW), asker)
        asking.holder[asking.name] = step["id"]
        at = subtree_end(document["steps"], asker) if asker >= 0 else len(document["steps"])
        document["steps"].insert(at, step)
        made = f"/steps/{at}"


def _asks(value: object) -> bool:
    return isinstance(value, str) and value.startswith(NEW) and value.removeprefix(NEW) in step_forms()


def fresh(base: str, taken: set[str]) -> str:
    """The name itself or with a number, not taken yet."""
    stem = _NUMBERED.sub("", base)[:50]
    names = [stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _ids(document: Mapping[str, Any]) -> set[str]:
    return {str(step.get("id")) for step in items(document, "steps") if isinstance(step, dict)}


def _new_step(document: dict[str, Any], type_: str, after: int) -> dict[str, Any]:
    form = step_forms()[type_]
    step: dict[str, Any] = {TYPE: type_, "id": fresh(type_, _ids(document))}
    leads_on = any(True for _found in step_references(step | _empty_rows(form.fields), "step"))
    state = _usual_state(document, after, leads_on)
    return step | ({"state": state} if state else {}) | _empty_rows(form.fields)


def _empty_rows(fields: Any) -> dict[str, Any]:
    """A list that must not be empty begins with a row to fill in."""
    return {one.name: [{}] for one in fields if one.kind == "list" and one.required}


def _usual_state(document: Mapping[str, Any], after: int, leads_on: bool) -> str | None:
    """That of the step before; an end state where the new step leads nowhere."""
    states = [state for state in items(document, "states") if isinstance(state, dict) and state.get("name")]
    if not leads_on:
        wanted = [state["name"] for state in states if state.get("kind") in ("success", "failure")]
    elif 0 <= after < len(items(document, "steps")):
        wanted = [document["steps"][after].get("state")]
    else:
        wanted = [state["name"] for state in states if state.get("kind") == "initial"]
    return next((name for name in wanted if isinstance(name, str)), None)


def _add_step(document: dict[str, Any], rest: str) -> Edited:
    type_, _colon, after_text = rest.partition(":")
    if type_ not in step_forms():
        raise CannotEdit(rest)
    steps = document.setdefault("steps", [])
    if len(steps) >= MAX_STEPS:
        return Edited(said=_("A journey has at most %(most)s steps.") % {"most": MAX_STEPS})
    after = int(after_text) if after_text.isdecimal() and int(after_text) < len(steps) else -1
    step = _new_step(document, type_, after)
    at = len(steps) if after < 0 else after + 1
    if after >= 0:
        _put_between(steps[after], step)
    steps.insert(at, step)
    return Edited(f"/steps/{at}", _("Step “%(name)s” was added.") % {"name": step["id"]})


def _put_between(before: Any, step: dict[str, Any]) -> None:
    """Where both have one way only, the new step takes over the way of the one before it."""
    ways = [reference for _field, _fields, reference in step_references(before, "step")]
    onward = [reference for _field, _fields, reference in step_references(step, "step")]
    if len(ways) != 1:
        return
    led = ways[0].value
    if led and onward:
        onward[0].holder[onward[0].name] = led
    if not led or onward:
        ways[0].holder[ways[0].name] = step["id"]


def _add_row(document: dict[str, Any], pointer: str) -> Edited:
    holder, name = _holder(document, pointer)
    if isinstance(holder, list) or not isinstance(holder.setdefault(name, []), list):
        raise CannotEdit(pointer)
    rows = holder[name]
    rows.append({})
    return Edited(f"{pointer}/{len(rows) - 1}", _("A row was added."))


def _add_part(document: dict[str, Any], pointer: str) -> Edited:
    group = _at(document, pointer)
    if not isinstance(group, list):
        raise CannotEdit(pointer)
    group.append(None)
    return Edited(f"{pointer}/{len(group) - 1}", _("A condition was added."))


def _deny(document: dict[str, Any], pointer: str) -> Edited:
    holder, key = _holder(document, pointer)
    node = _at(document, pointer)
    if not pointer or node is None:
        raise CannotEdit(pointer)
    turned = rule_form.denied(node)
    if isinstance(holder, list):
        holder[int(key)] = turned
    else:
        holder[key] = turned
    said = _("The condition was turned into its opposite.")
    return Edited(pointer, said)


def _remove(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = _row(document, pointer)
    item = rows[at]
    removal = Removal(_anchored(document, pointer.rpartition("/")[0]), at, item, _name(item, at))
    del rows[at]
    if pointer.startswith("/steps/") and pointer.count("/") == 2:
        removal.led = _lead_past(document, item)
    if pointer.startswith("/states/") and isinstance(item, dict):
        moves = items(document, "transitions")
        removal.moves = [move for move in moves if item.get("name") in move]
        document["transitions"] = [move for move in moves if move not in removal.moves]
    focus = f"{pointer.rpartition('/')[0]}/{min(at, len(rows) - 1)}" if rows else pointer.rpartition("/")[0]
    return Edited(focus, _("“%(name)s” was removed.") % {"name": removal.name}, removal)


def _lead_past(document: dict[str, Any], step: Any) -> list[tuple[str, str, str]]:
    """What led to the removed step leads where it led, if that was one place only."""
    targets = {reference.value for _field, _fields, reference in step_references(step, "step") if reference.value}
    if not isinstance(step, dict) or len(targets) != 1 or step.get("id") in targets:
        return []
    onward, gone, led = targets.pop(), step.get("id"), []
    for reference in references(document, "step"):
        if gone and reference.value == gone:
            reference.holder[reference.name] = onward
            led.append((_anchored(document, reference.pointer), gone, onward))
    return led


def put_back(document: dict[str, Any], removal: Mapping[str, Any]) -> Edited:
    """Undo a removal, as far as its place is still there; raises CannotEdit."""
    try:
        holder, index, item = str(removal["holder"]), int(removal["index"]), removal["item"]
        led = [(str(where), str(before), str(since)) for where, before, since in removal.get("led", [])]
        moves = list(removal.get("moves", []))
        rows = _at(document, holder)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotEdit from error
    if not isinstance(rows, list) or index < 0:
        raise CannotEdit(holder)
    rows.insert(index, item)
    for where, before, since in led:
        _restore(document, where, before, since)
    if moves:
        document["transitions"] = [*items(document, "transitions"), *moves]
    place = min(index, len(rows) - 1)
    return Edited(f"{_numbered(document, holder)}/{place}", _("“%(name)s” is back.") % {"name": _name(item, place)})


def _restore(document: dict[str, Any], where: str, before: str, since: str) -> None:
    try:
        holder, name = _holder(document, where)
    except CannotEdit:
        return
    if isinstance(holder, dict) and holder.get(name) == since:
        holder[name] = before


def _move(by: int) -> Callable[[dict[str, Any], str], Edited]:
    def move(document: dict[str, Any], pointer: str) -> Edited:
        rows, at = _row(document, pointer)
        to = at + by
        if not 0 <= to < len(rows):
            return Edited(pointer)
        rows[at], rows[to] = rows[to], rows[at]
        said = _("“%(name)s” is now number %(place)s of %(count)s.")
        values = {"name": _name(rows[to], to), "place": to + 1, "count": len(rows)}
        return Edited(f"{pointer.rpartition('/')[0]}/{to}", said % values)

    return move


def _copy(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = _row(document, pointer)
    twin = copy.deepcopy(rows[at])
    for key, taken in (("id", _ids(document)), ("name", _state_names(document))):
        if isinstance(twin, dict) and isinstance(twin.get(key), str) and pointer.count("/") == 2:
            twin[key] = fresh(twin[key], taken)
    rows.insert(at + 1, twin)
    said = _("A copy was added: “%(name)s”.") % {"name": _name(twin, at)}
    return Edited(f"{pointer.rpartition('/')[0]}/{at + 1}", said)


def _state_names(document: Mapping[str, Any]) -> set[str]:
    return {str(state.get("name")) for state in items(document, "states") if isinstance(state, dict)}


def _name(item: Any, at: int) -> str:
    names = [item.get(key) for key in ("id", "name", "event")] if isinstance(item, dict) else []
    return str(next((name for name in names if name), at + 1))


def _allow(document: dict[str, Any], _rest: str) -> Edited:
    """Make legal every transition that the steps and exits need."""
    try:
        definition, steps = parse(document)
        needed = {(before, after): None for _at, before, after in needed_moves(definition, steps) if before != after}
    except (InvalidDefinition, KeyError):
        return Edited("/transitions", _("First give every step its state and what follows it."))
    added = [list(move) for move in needed if list(move) not in items(document, "transitions")]
    document["transitions"] = [*items(document, "transitions"), *added]
    told = ngettext("%(count)s transition was allowed.", "%(count)s transitions were allowed.", len(added))
    return Edited("/transitions", told % {"count": len(added)})


def _nothing(document: dict[str, Any], _rest: str) -> Edited:
    return Edited()


_VERBS: Final[dict[str, Callable[[dict[str, Any], str], Edited]]] = {
    "refresh": _nothing,
    "step": _add_step,
    "row": _add_row,
    "part": _add_part,
    "deny": _deny,
    "remove": _remove,
    "up": _move(-1),
    "down": _move(1),
    "copy": _copy,
    "allow": _allow,
}


def _row(document: dict[str, Any], pointer: str) -> tuple[list[Any], int]:
    holder, key = _holder(document, pointer)
    if not isinstance(holder, list) or not key.isdecimal() or int(key) >= len(holder):
        raise CannotEdit(pointer)
    return holder, int(key)


def _holder(document: Any, pointer: str) -> tuple[Any, str]:
    above, _slash, key = pointer.rpartition("/")
    holder = _at(document, above)
    if not isinstance(holder, dict | list):
        raise CannotEdit(pointer)
    return holder, key


def _at(document: Any, pointer: str) -> Any:
    here = document
    for key in pointer.split("/")[1:]:
        if isinstance(here, list):
            key = str(_index_of(here, key))
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        else:
            raise CannotEdit(pointer)
    return here


def _index_of(rows: list[Any], key: str) -> str:
    """The number of a step named by `=id`; any other key as it is."""
    if not key.startswith("="):
        return key
    found = [n for n, row in enumerate(rows) if isinstance(row, dict) and row.get("id") == key[1:]]
    return str(found[0]) if found else key


def _anchored(document: dict[str, Any], pointer: str) -> str:
    """The pointer with the step named by its id, so that it holds when steps are moved."""
    parts = pointer.split("/")
    if len(parts) > 2 and parts[1] == "steps" and parts[2].isdecimal():
        step = document["steps"][int(parts[2])]
        if isinstance(step, dict) and step.get("id"):
            parts[2] = f"={step['id']}"
    return "/".join(parts)


def _numbered(document: dict[str, Any], pointer: str) -> str:
    parts = pointer.split("/")
    if len(parts) > 2 and parts[1] == "steps":
        parts[2] = _index_of(items(document, "steps"), parts[2])
    return "/".join(parts)
