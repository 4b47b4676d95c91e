"""The loop from set-up to verdict."""

import time
from collections.abc import Mapping

from django.core.management import call_command

from config.loop.cast import Cast
from config.loop.checks import Check, Outcome, all_checks
from config.loop.journeys import World, build
from config.loop.killer import Killer
from config.loop.mailbox import read_mails
from config.loop.processes import Installation, LoopError
from config.loop.quiet import await_quiet
from config.loop.scenario import Scenario, Told
from config.loop.tour import read_arrivals
from customers.clock import utcnow

# A kill takes about this long, restart included; the load is stretched to last as long as they do.
_SECONDS_PER_KILL = 2.5
_KILL_GROUP = 25
# Under fire a mail server that thinks for a moment, so that calls are there to be interrupted.
_KILL_ANSWER_DELAY = 0.02
_QUIET_SECONDS = 60.0
_QUIET_SECONDS_KILLING = 150.0


def run(environment: Mapping[str, str], kills: int) -> bool:
    """Run the scenario against a fresh installation and print the table; whether every line is right."""
    began = time.monotonic()
    call_command("migrate", verbosity=0)
    with Installation(environment, _KILL_ANSWER_DELAY if kills else 0) as installation:
        _say(began, "everything is up")
        try:
            outcome = _play(installation, kills, began)
        except Exception:
            _show_logs(installation)
            raise
        checks = list(all_checks(outcome))
        print(table(checks))
        wrong = [check for check in checks if not check.holds]
        if wrong:
            _show_logs(installation)
            # Once more below the logs, where whoever sees only the end of the output finds it.
            print(table(wrong))
    _say(began, "SOMETHING IS WRONG" if wrong else "all is right")
    return not wrong


def _play(installation: Installation, kills: int, began: float) -> Outcome:
    world = build(installation.sink_port, installation.spoken, utcnow())
    cast = Cast()
    told, cut_off = _under_fire(installation, world, cast, kills, began)
    _say(began, f"{told.events} events told, {len(read_mails(installation.mails))} mails so far")
    await_quiet(installation.check, _QUIET_SECONDS_KILLING if kills else _QUIET_SECONDS)
    _say(began, "nothing is left to do")
    abandoned = installation.close_sink()["abandoned"]
    mails, arrivals = read_mails(installation.mails), read_arrivals(installation.arrivals)
    return Outcome(cast, world, told, mails, arrivals, min(cut_off, abandoned), cut_off)


def _under_fire(installation: Installation, world: World, cast: Cast, kills: int, began: float) -> tuple[Told, int]:
    """Play the scenario while workers are killed; also returns how many calls that may have cut off."""
    if not kills:
        return Scenario(installation, world, cast).play(), 0
    pause = kills * _SECONDS_PER_KILL * _KILL_GROUP / len(cast.people)
    with Killer(installation, kills) as killer:
        told = Scenario(installation, world, cast, _KILL_GROUP, pause).play()
    _say(began, f"killed {killer.children} children of the engine, {killer.workers} dispatch workers")
    if killer.children + killer.workers < kills:
        raise LoopError("not every kill found its victim")
    return told, killer.workers * installation.dispatch_threads


def table(checks: list[Check]) -> str:
    rows = [("", "expected", "got"), *(check.row() for check in checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows)


def _say(began: float, text: str) -> None:
    print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)


def _show_logs(installation: Installation) -> None:
    for process in installation.processes:
        print(f"--- {process.name}: {process.log}\n{process.tail()}")
