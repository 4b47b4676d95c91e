"""`manage.py load_demo`: the demo company in the database, without anything running."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.demo import loading
from config.demo.vault import close_vault, open_vault, path_of
from config.processes import ProcessError


class Command(BaseCommand):
    help = "Load the demo company, unless it is there, and print who may log in. `make demo` does this and runs it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="forget everything that happened and begin anew")
        parser.add_argument("--people", type=int, default=None, help="how many customers a new history has")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("not in production: it makes log-ins")
        try:
            loading.load(fresh=options["fresh"], people=options["people"])
        except ProcessError as error:
            raise CommandError(str(error)) from None
        path = path_of(settings.DATABASE_URL or str(connection.settings_dict["NAME"]))
        vault = open_vault(path, loading.usernames())
        loading.hand_out(vault)
        close_vault(path, vault)
        for username, password in vault.passwords.items():
            self.stdout.write(f"{username}  {password}")
