"""Engines against models: how many sequences of deeds are tried, and a database of its own for each of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, run_state_machine_as_test

from tests.journeys.stage import Stage, make_stage

__all__ = ["Staged", "begun", "rolled_back", "try_many", "usual"]
_BEFORE_A_RELEASE = 2_000
_QUICKLY = 10


@contextmanager
def rolled_back() -> Iterator[Stage]:
    """A stage of which nothing is left afterwards."""
    whole = transaction.atomic()
    # As Django's own tests have it: what insists on a transaction of its own takes this one for none.
    whole._from_testcase = True  # type: ignore[attr-defined]
    with whole:
        try:
            yield make_stage()
        finally:
            transaction.set_rollback(True)


class Staged(RuleBasedStateMachine):
    """A machine with a stage; each sequence has the database to itself."""

    stage: Stage

    def open_stage(self) -> None:
        self.whole = rolled_back()
        self.stage = self.whole.__enter__()

    def teardown(self) -> None:
        if hasattr(self, "whole"):
            self.whole.__exit__(None, None, None)


def begun() -> Any:
    """What is asked between two deeds is asked once there is somebody."""
    return precondition(lambda self: hasattr(self, "people"))


def usual(**more: Any) -> settings:
    """FULL=1 tries as many as a release needs, EXAMPLES any number."""
    many = _BEFORE_A_RELEASE if os.environ.get("FULL") == "1" else _QUICKLY
    return settings(
        max_examples=int(os.environ.get("EXAMPLES") or many),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )


def try_many(machine: type[Staged], steps: int) -> None:
    run_state_machine_as_test(machine, settings=usual(stateful_step_count=steps))
