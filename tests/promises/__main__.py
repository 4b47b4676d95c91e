"""`python -m tests.promises [--only P1,P3-P6] [--full] [--part 2/4]`: each promise, its counts, its control."""

import argparse
import os
import random
import signal
import sys
from types import FrameType

from config.embedded import EmbeddedError
from config.processes import ProcessError
from tests.promises import servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description="Put what is promised to the test.")
    parser.add_argument("--only", default="", metavar="P1,P3-P6", help="these promises (all)")
    parser.add_argument("--part", default="", metavar="2/4", help="one of so many parts of about the same length (all)")
    parser.add_argument("--full", action="store_true", help="the counts that a release needs, and every control")
    parser.add_argument("--controls", action="store_true", help="every control, whatever has changed")
    parser.add_argument("--control", default="", metavar="NAME", help="only the controls whose name holds this")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats a run's choices")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with servers.running() as own:
            os.environ |= {"DATABASE_URL": own.at("lab_run"), "BROKER_URL": own.broker_url}
            os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
            import django

            django.setup()
            # The settings are read as Django starts, so what needs them comes after.
            from tests.promises import command

            return command.run(own, options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ProcessError, EmbeddedError, ValueError) as error:
        print(f"promises: {error}", file=sys.stderr)
        return 2


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: what follows is the orderly end.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
