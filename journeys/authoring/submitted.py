"""What a browser would submit of controls that nobody touched: shows whether the form keeps all of a document."""

from collections.abc import Iterable, Iterator

from customers.authoring.controls import Control

Pairs = Iterator[tuple[str, str]]


def submitted(top: Iterable[Control]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for control in top:
        for name, value in _pairs(control):
            data.setdefault(name, []).append(value)
    return data


def _pairs(control: Control) -> Pairs:
    name, extra = control.name, control.extra
    match control.kind:
        case "text" | "number":
            yield name, _line(control.value)
        case "choice":
            yield name, _chosen(control)
        case "flag":
            yield from [(name, "on")] if control.value else []
        case "duration":
            yield f"{name}/~n", _line(control.value)
            yield f"{name}/~unit", _chosen(control)
        case "json":
            yield name, _lines(control.value)
        case "value":
            yield f"{name}/~kind", _chosen(control)
            yield f"{name}/~text", _lines(control.value) if extra["has_lines"] else _line(control.value)
        case "moves":
            moves = [move for _before, row in extra["rows"] for move in row if not move["is_same"]] + extra["others"]
            yield from ((name, move["value"]) for move in moves if move["is_legal"])
        case "node":
            yield f"{name}/~node", control.value
            yield f"{name}/~was", control.value
        case "step":
            yield f"{name}/type", str(control.value)
    if "json" in extra:
        yield f"{name}/~json", _lines(extra["json"])
    if "was" in extra:
        yield f"{name}/~was", _line(extra["was"])
    if extra.get("may_be_unset") and extra["is_set"]:
        yield f"{name}/~set", "on"
    for part in (*control.controls, *control.more):
        yield from _pairs(part)


def _chosen(control: Control) -> str:
    chosen = [option.value for option in control.options if option.is_chosen]
    # A select with nothing chosen gives its first.
    return chosen[0] if chosen else control.options[0].value if control.options else ""


def _line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
