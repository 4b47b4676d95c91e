"""`python -m config.screenshots [--people 400] [--only journeys]`: pictures of all pages, into docs/img."""

import argparse
import os
import sys
from pathlib import Path

from config.loop.database import fresh_database
from config.processes import PROJECT, ProcessError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.screenshots", description="Take pictures of all pages.")
    parser.add_argument("--people", type=int, default=400, help="how many customers the demo company has")
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of the names of pages")
    parser.add_argument("--into", type=Path, default=PROJECT / "docs" / "img", help="the folder for the pictures")
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL")
    if not url:
        print("screenshots: DATABASE_URL is missing; `make screenshots` brings up a server", file=sys.stderr)
        return 2
    try:
        with fresh_database(url) as own:
            os.environ |= {"DATABASE_URL": own, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
            import django

            django.setup()
            from config.screenshots import command

            try:
                return command.run(options.into, options.people, options.only)
            finally:
                _let_go()
    except ProcessError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1


def _let_go() -> None:
    """The database is about to go."""
    from django.db import connections

    connections.close_all()


if __name__ == "__main__":
    sys.exit(main())
