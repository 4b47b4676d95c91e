"""`python -m config.demo [--fresh] [--port 8000]`: the demo company, running, until Ctrl-C."""

import argparse
import os
import signal
import sys
from types import FrameType

from config import embedded
from config.processes import ProcessError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.demo", description="Run the demo company.")
    parser.add_argument("--fresh", action="store_true", help="forget everything that happened and begin anew")
    parser.add_argument("--port", type=int, default=8000, help="the first port to try (8000)")
    parser.add_argument("--people", type=int, default=None, help="how many customers a new history has")
    parser.add_argument("--no-traffic", action="store_true", help="nobody comes by by themselves")
    options = parser.parse_args()
    if os.environ.get("TRILHA_ENV") == "production":
        print("demo: not in production: it makes log-ins and writes to the database", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with embedded.running() as environment:
            os.environ.update(environment)
            os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "TRILHA_DEMO": "1"}
            # The settings are read as Django starts, so what needs them comes after.
            from config.demo import command

            return command.run(options)
    except KeyboardInterrupt:
        return 0
    except (ProcessError, embedded.EmbeddedError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: what follows is the orderly end.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
