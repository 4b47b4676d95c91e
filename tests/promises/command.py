"""From the chosen promises to the verdict: each one's counts, and whether its controls were caught."""

import random
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence

from django.core.management import call_command
from django.db import connections

from config.keeper import Keeper
from config.loop.checks import Check
from config.loop.command import table
from config.processes import ProcessError
from journeys.compiling import version
from tests.promises.invariants import breaches
from tests.promises.plan import Promise, UnknownPromise, changed_files, chosen, minutes_of, needs_controls, part_of
from tests.promises.promises import PROMISES
from tests.promises.servers import Servers, logs_of, template_name
from tests.promises.stage import DATABASE, Stage


class Lab:
    """Plays promises one after the other."""

    def __init__(self, servers: Servers, keeper: Keeper, options: Namespace) -> None:
        self._servers = servers
        self._keeper = keeper
        self._full: bool = options.full
        self._seed: int = options.seed
        self._template = self._prepare()

    def keeps(self, promise: Promise) -> bool:
        """Play it with the product; whether every count is right."""
        print(f"\n{promise.key}  {promise.title}", flush=True)
        began = time.monotonic()
        checks = self._play(promise, "")
        held = all(check.holds for check in checks)
        print(table(checks))
        print(f"{promise.key}  {'kept' if held else 'BROKEN'}  ({time.monotonic() - began:.1f} s)", flush=True)
        return held

    def catches(self, promise: Promise, control: str) -> bool:
        """Play it with a broken build; whether the counts tell."""
        began = time.monotonic()
        broken = [check for check in self._play(promise, control) if not check.holds]
        for check in broken[:4]:
            what, expected, got = check.row()
            print(f"  {what.strip(' ✗')}: expected {expected}, got {got}")
        verdict = "is caught" if broken else "PASSES, so the test is worth nothing"
        print(f"{promise.key}  control “{control}” {verdict}  ({time.monotonic() - began:.1f} s)", flush=True)
        return bool(broken)

    def _play(self, promise: Promise, control: str) -> list[Check]:
        connections.close_all()
        self._servers.make(DATABASE, like=self._template)
        # Numbers begin anew in a new database: what this process knows of a version is of another journey's.
        version.cache_clear()
        # A promise may be played in several parts, each a module of its own.
        name = f"{promise.key}-{control or promise.run.__module__.rpartition('.')[2]}"
        chance = random.Random(f"{self._seed}-{promise.key}")
        # A control need only be caught, for which the quick counts do.
        stage = Stage(self._servers, self._keeper, logs_of(name), self._full and not control, control, chance)
        with stage:
            try:
                checks = [*promise.run(stage), *breaches()]
            except ProcessError:
                stage.show_logs()
                raise
            if not control and not all(check.holds for check in checks):
                stage.show_logs()
            return checks

    def _prepare(self) -> str:
        """A database with all tables, to copy; kept from one lab to the next."""
        name = template_name()
        if name not in self._servers.names():
            self._servers.make(DATABASE)
            call_command("migrate", verbosity=0)
            connections.close_all()
            self._servers.make(name, like=DATABASE)
        for old in self._servers.names():
            if old.startswith("lab_template_") and old != name:
                self._servers.drop(old)
        return name


def run(servers: Servers, options: Namespace) -> int:
    promises = part_of(chosen(PROMISES, options.only), options.part)
    print(f"seed {options.seed}; {'full' if options.full else 'quick'}", flush=True)
    if options.full:
        times = ", ".join(f"{promise.key} {promise.minutes}" for promise in promises)
        print(f"about {minutes_of(promises)} minutes: {times}", flush=True)
    with Keeper() as keeper:
        lab = Lab(servers, keeper, options)
        faults = list(_only(lab, promises, options.control) if options.control else _all(lab, promises, options))
    fine = "caught" if options.control else f"all {len(promises)} kept"
    print("\n" + ("; ".join(faults) if faults else fine), flush=True)
    return 1 if faults else 0


def _all(lab: Lab, promises: Sequence[Promise], options: Namespace) -> Iterator[str]:
    """What is wrong with the promises, and with the controls whose turn it is."""
    changed = changed_files()
    for promise in promises:
        if not lab.keeps(promise):
            yield f"{promise.key} is broken"
        every = options.full or options.controls
        yield from _unnoticed(lab, promise, promise.controls if every or needs_controls(promise, changed) else ())


def _only(lab: Lab, promises: Sequence[Promise], asked: str) -> Iterator[str]:
    """What is wrong with the controls of this name, without the product."""
    found = [(promise, control) for promise in promises for control in promise.controls if asked in control]
    if not found:
        raise UnknownPromise(f"no control of {', '.join(one.key for one in promises)} has {asked} in its name")
    for promise, control in found:
        yield from _unnoticed(lab, promise, [control])


def _unnoticed(lab: Lab, promise: Promise, controls: Iterable[str]) -> list[str]:
    return [f"{promise.key}'s control “{one}” passed" for one in controls if not lab.catches(promise, one)]
