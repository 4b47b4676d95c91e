"""Engines against models: how many sequences of deeds are tried, and a database of its own for each of them."""

import os
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, run_state_machine_as_test

from tests.journeys.stage import Stage, make_stage

__all__ = ["Staged", "begun", "try_many"]
_BEFORE_A_RELEASE = 2_000
_QUICKLY = 10


class Staged(RuleBasedStateMachine):
    """A machine with a stage; each sequence has the database to itself."""

    stage: Stage

    def open_stage(self) -> None:
        self.whole = transaction.atomic()
        # As Django's own tests have it: what insists on a transaction of its own takes this one for none.
        self.whole._from_testcase = True  # type: ignore[attr-defined]
        self.whole.__enter__()
        self.stage = make_stage()

    def teardown(self) -> None:
        if hasattr(self, "whole"):
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)


def begun() -> Any:
    """What is asked between two deeds is asked once there is somebody."""
    return precondition(lambda self: hasattr(self, "people"))


def try_many(machine: type[Staged], steps: int) -> None:
    """FULL=1 tries as many as a release needs, EXAMPLES any number."""
    usual = _BEFORE_A_RELEASE if os.environ.get("FULL") == "1" else _QUICKLY
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("EXAMPLES") or usual),
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
