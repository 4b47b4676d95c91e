"""`python -m config.loop [--kill N]`: bring up the installation on a fresh database, run the main job, count."""

import argparse
import os
import shutil
import signal
import sys
from types import FrameType

from config import embedded
from config.loop.database import fresh_database
from config.loop.processes import LOGS
from config.processes import ProcessError

# Short, so that what killed workers left behind is taken up before anybody gets impatient. Where nobody is killed the
# installation's own hold: a machine that pauses for two seconds must not make a call look cut off.
HASTE = {"LEASE_SECONDS": "6", "SWEEP_SECONDS": "2", "PROVIDER_DEADLINE_SECONDS": "2"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.loop", description="Run the main job once and count.")
    parser.add_argument("--kill", type=int, default=0, metavar="N", help="kill -9 workers N times meanwhile")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with embedded.running() as environment:
            os.environ.update(environment)
            with fresh_database(os.environ["DATABASE_URL"]) as url:
                return 0 if _run(url, options.kill) else 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ProcessError, embedded.EmbeddedError) as error:
        print(f"loop: {error}", file=sys.stderr)
        return 1


def _run(url: str, kills: int) -> bool:
    os.environ.update({"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"})
    import django

    django.setup()
    # The settings are read as Django starts, so what needs them comes after.
    from config.loop import command

    right = command.run({"LOG_LEVEL": "INFO", **(HASTE if kills else {})}, kills)
    if right:
        shutil.rmtree(LOGS)
    return right


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
