#!/usr/bin/env python
"""Django's commands, with the embedded servers up for those that need them."""

import os
import sys

from config import embedded

# None of these touches the database or the broker.
WITHOUT_SERVERS = {"help", "version", "check", "diffsettings", "findstatic", "makemessages"}


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    command = arguments[1] if len(arguments) > 1 else "help"
    if command in WITHOUT_SERVERS or {"-h", "--help", "--version"} & set(arguments[1:]):
        execute_from_command_line(arguments)
        return
    with embedded.running() as environment:
        os.environ.update(environment)
        execute_from_command_line(arguments)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except embedded.EmbeddedError as error:
        sys.exit(f"embedded services: {error}")
