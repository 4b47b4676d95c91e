"""Which promises there are, which of them are asked for, and when their controls are run."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.loop.checks import Check
from config.processes import PROJECT
from tests.promises.stage import Stage


@dataclass(frozen=True, slots=True)
class Promise:
    """`run` puts a stage under load and tells what came of it. Each control is a build that must break the promise;
    `code` is what the promise rests on."""

    key: str
    title: str
    run: Callable[[Stage], Iterable[Check]]
    controls: tuple[str, ...]
    code: tuple[str, ...]


class UnknownPromise(ValueError):
    """What was asked for names no promise."""


def chosen(promises: Sequence[Promise], asked: str) -> list[Promise]:
    """Those named by `P1,P3-P6,PUBLISH`; all of them when nothing is named."""
    if not asked:
        return list(promises)
    wanted = {key for part in asked.split(",") for key in _keys(part.strip().upper())}
    found = [promise for promise in promises if promise.key in wanted]
    if not found:
        raise UnknownPromise(f"{asked} names none of {', '.join(promise.key for promise in promises)}")
    return found


def _keys(part: str) -> Iterator[str]:
    first, dash, last = part.partition("-")
    if not dash:
        yield part
        return
    if not (first[1:].isdecimal() and last[1:].isdecimal()):
        raise UnknownPromise(f"{part} is no range such as P1-P6")
    for number in range(int(first[1:]), int(last[1:]) + 1):
        yield f"P{number}"


def changed_files() -> list[str] | None:
    """What differs from the last commit but one; None where nobody can tell."""
    command = ["git", "diff", "--name-only", "HEAD~1"]
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()


def needs_controls(promise: Promise, changed: Sequence[str] | None) -> bool:
    """Whether the code that the promise rests on, or the lab's own, changed lately."""
    return changed is None or any(path.startswith(("tests/promises/", *promise.code)) for path in changed)
