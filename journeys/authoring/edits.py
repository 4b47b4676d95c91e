"""Changes to a document that buttons make: adding, removing, moving and copying steps and rows; all can be undone
by the form's own state, so none of them touches what is stored."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.authoring import edits
from customers.authoring.edits import Act, CannotEdit, Edited, doubled, holder_of, index_of, row_at, taken
from journeys.authoring.describe import TYPE, step_forms
from journeys.authoring.outline import subtree_end
from journeys.authoring.references import items, references, step_references
from journeys.definition import InvalidDefinition, parse
from journeys.validate import MAX_STEPS, needed_moves

# A step reference that begins so asks for a new step of the type that follows.
NEW: Final = "+"
_NUMBERED = re.compile(r"-\d+$")


@dataclass(slots=True)
class Removal(edits.Removal):
    """Pointers name steps by `=id`, not by number."""

    # References that were led past a removed step: (pointer, what it led to before, and since).
    led: list[tuple[str, str, str]] = field(default_factory=list)
    moves: list[Any] = field(default_factory=list)


def apply(document: dict[str, Any], order: str) -> Edited:
    """Do as a button says: `verb:pointer`, for new steps `step:type:after`. Raises CannotEdit."""
    return edits.apply(document, order, _VERBS)


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


def _remove(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = row_at(document, pointer)
    item = rows[at]
    removal = Removal(_anchored(document, pointer.rpartition("/")[0]), at, item, edits.name_of(item, at))
    del rows[at]
    if pointer.startswith("/steps/") and pointer.count("/") == 2:
        removal.led = _lead_past(document, item)
    if pointer.startswith("/states/") and isinstance(item, dict):
        moves = items(document, "transitions")
        removal.moves = [move for move in moves if item.get("name") in move]
        document["transitions"] = [move for move in moves if move not in removal.moves]
    return taken(pointer, rows, removal)


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


def put_back(document: dict[str, Any], given: object) -> Edited:
    """Undo a removal with what followed from it, as far as its place is still there; raises CannotEdit."""
    removal = kept(given)
    if removal is None:
        raise CannotEdit
    edited = edits.put_back(document, replace(removal, holder=_numbered(document, removal.holder)))
    for where, before, since in removal.led:
        _restore(document, where, before, since)
    if removal.moves:
        document["transitions"] = [*items(document, "transitions"), *removal.moves]
    return edited


def kept(values: object) -> Removal | None:
    return edits.kept(values, Removal)


def _restore(document: dict[str, Any], where: str, before: str, since: str) -> None:
    try:
        holder, name = holder_of(document, where)
    except CannotEdit:
        return
    if isinstance(holder, dict) and holder.get(name) == since:
        holder[name] = before


def _copy(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = row_at(document, pointer)
    twin = copy.deepcopy(rows[at])
    for key, known in (("id", _ids(document)), ("name", _state_names(document))):
        if isinstance(twin, dict) and isinstance(twin.get(key), str) and pointer.count("/") == 2:
            twin[key] = fresh(twin[key], known)
    return doubled(pointer, rows, at, twin)


def _state_names(document: Mapping[str, Any]) -> set[str]:
    return {str(state.get("name")) for state in items(document, "states") if isinstance(state, dict)}


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


_VERBS: Final[Mapping[str, Act]] = {
    **edits.VERBS,
    "step": _add_step,
    "remove": _remove,
    "copy": _copy,
    "allow": _allow,
}


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
        parts[2] = index_of(items(document, "steps"), parts[2])
    return "/".join(parts)
