"""How steps stand to one another: which branch leads to which, and how deep each is nested."""

from dataclasses import dataclass, field
from typing import Any

from customers.authoring.words import row_words
from journeys.authoring.references import step_references


@dataclass(slots=True)
class Place:
    """`depth` is how many branches lead here from the first step; `ways` are (from step, its field's words)."""

    depth: int = 0
    ways: list[tuple[str, str]] = field(default_factory=list)
    is_reached: bool = False


def outline(steps: list[Any]) -> list[Place]:
    """A place for each step, in their order. A step with one way on hands its depth on; one with several nests
    each; where ways meet again, the least depth counts."""
    places = [Place() for _step in steps]
    if not steps:
        return places
    index = {id_: n for n, step in reversed(list(enumerate(steps))) if (id_ := _id(step))}
    targets = [_targets(step, index) for step in steps]
    for n, ways in enumerate(targets):
        for label, to in ways:
            if to is not None:
                places[to].ways.append((str(steps[n].get("id", "")), label))
    _walk(places, [[to for _label, to in ways] for ways in targets])
    return places


def subtree_end(steps: list[Any], at: int) -> int:
    """The index behind the step and all that is nested under it."""
    places = outline(steps)
    end = at + 1
    while end < len(steps) and places[end].depth > places[at].depth:
        end += 1
    return end


def _id(step: Any) -> str:
    id_ = step.get("id") if isinstance(step, dict) else None
    return id_ if isinstance(id_, str) else ""


def _targets(step: Any, index: dict[str, int]) -> list[tuple[str, int | None]]:
    """(what the way is taken for, index of the step it leads to; None while it leads nowhere)."""
    found: list[tuple[str, int | None]] = []
    for one, holder, reference in step_references(step, "step"):
        to = index.get(reference.value) if isinstance(reference.value, str) else None
        within = reference.holder is not step
        found.append((row_words(holder, reference.holder, without="step") if within else str(one.label), to))
    # Where there is only one way on, it needs no words.
    return [("", to) for _words, to in found] if len(found) == 1 else found


def _walk(places: list[Place], targets: list[list[int | None]]) -> None:
    """Breadth first by depth, so that each step gets its least."""
    places[0].is_reached = True
    level = [0]
    while level:
        deeper: list[int] = []
        while level:
            here = level.pop()
            several = len({-n if to is None else to for n, to in enumerate(targets[here], 1)}) > 1
            for to in dict.fromkeys(targets[here]):
                if to is not None and not places[to].is_reached:
                    places[to].is_reached = True
                    places[to].depth = places[here].depth + several
                    (deeper if several else level).append(to)
        level = deeper
