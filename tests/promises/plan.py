"""Which promises there are, which of them are asked for, and when their controls are run."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from config.loop.checks import Check
from config.processes import PROJECT
from tests.promises.stage import Stage

# The most that one part of the full tier may take.
MOST_MINUTES: Final = 75


@dataclass(frozen=True, slots=True)
class Promise:
    """`run` puts a stage under load and tells what came of it. Each control is a build that must break the promise;
    `code` is what the promise rests on; `minutes` is what the full tier takes, controls included, on two cores."""

    key: str
    title: str
    run: Callable[[Stage], Iterable[Check]]
    controls: tuple[str, ...]
    code: tuple[str, ...]
    minutes: int


class UnknownPromise(ValueError):
    """What was asked for names no promise."""


class UnknownPart(ValueError):
    """What was asked for is no part such as 2/4, or parts that take too long."""


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


def part_of(promises: Sequence[Promise], asked: str) -> list[Promise]:
    """Those of one part of several, as `2/4` names it; all of them when nothing is named."""
    if not asked:
        return list(promises)
    number, slash, of = asked.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UnknownPart(f"{asked} is no part such as 2/4")
    found = parts(promises, int(of))
    longest = max(minutes_of(part) for part in found)
    if longest > MOST_MINUTES:
        raise UnknownPart(
            f"one of {of} parts would take {longest} minutes, of which {MOST_MINUTES} are allowed: ask for more"
        )
    return found[int(number) - 1]


def parts(promises: Sequence[Promise], count: int) -> list[list[Promise]]:
    """The promises dealt out so that the parts take about as long as each other: always the same way."""
    dealt: list[list[Promise]] = [[] for _part in range(count)]
    for promise in sorted(promises, key=lambda one: -one.minutes):
        min(dealt, key=minutes_of).append(promise)
    return [sorted(part, key=promises.index) for part in dealt]


def minutes_of(promises: Iterable[Promise]) -> int:
    return sum(promise.minutes for promise in promises)


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
