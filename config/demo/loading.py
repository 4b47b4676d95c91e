"""The demo's database: migrated, and with the company in it."""

import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from config import memory
from config.demo import campaigns, company, history, offers, privacy, staff
from config.demo.brands import BRANDS
from config.demo.size import Size
from config.demo.vault import Vault
from config.processes import ProcessError
from consent.anchors.make import make_anchor
from customers import bells, work
from customers.clock import utcnow
from customers.models import Brand


def load(*, fresh: bool, people: int | None, began: float | None = None) -> None:
    """Bring the database up to date, and live through the history if it is not there yet."""
    began = time.monotonic() if began is None else began
    if fresh or _was_interrupted():
        _empty()
    _say(began, "tables")
    call_command("migrate", verbosity=0)
    if _is_loaded():
        return
    if _holds_brands():
        raise ProcessError("there are brands in this database already; the demo wants one of its own")
    size = Size() if people is None else replace(Size(), people=people)
    memory.settle()
    # Those of a company that lived here before would find that this one's ledgers are not theirs.
    shutil.rmtree(settings.TRILHA_ANCHOR_DIR, ignore_errors=True)
    with bells.silence():
        history.make(utcnow(), size, progress=lambda share: _say(began, f"history {share:4.0%}"))
    company.pace(company.load(), utcnow())
    company.go_live_today(company.load(), utcnow())
    campaigns.plan(company.load(), utcnow())
    offers.open_up(company.load(), utcnow())
    privacy.ask(utcnow())
    make_anchor(utcnow())
    # Last of all: whoever finds them knows that the history is whole.
    staff.seat_everybody(company.load())
    _say(began, "loaded      ")
    work.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)


def usernames() -> Iterable[str]:
    return [seat.username for seat in staff.LOG_INS]


def hand_out(vault: Vault, club: str | None = None) -> None:
    """Make the passwords, keys and token of the vault open what they are for; `club` is where the club is, if it is
    at work."""
    now, everything = utcnow(), company.load()
    staff.set_passwords(vault.passwords)
    vault.write_keys = staff.write_keys(everything, vault.write_keys, now)
    staff.browser_keys(everything, settings.TRILHA_PUBLIC_URL, now)
    company.find_club(club)
    vault.partner_token = staff.partner_token(everything, vault.partner_token, now)


def _is_loaded() -> bool:
    return get_user_model().objects.filter(username=staff.SEATS[-1].username).exists()


def _was_interrupted() -> bool:
    """Whether a history was begun here and not lived to its end."""
    return _holds_the_company() and not _is_loaded()


def _holds_brands() -> bool:
    return Brand._meta.db_table in connection.introspection.table_names() and Brand.objects.exists()


def _holds_the_company() -> bool:
    return _holds_brands() and Brand.objects.filter(key=BRANDS[0].key).exists()


def _empty() -> None:
    """Remove everything, if all there is is a demo."""
    if _holds_brands() and not _holds_the_company():
        raise ProcessError("this database is somebody else's: it has brands, but not those of the demo")
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")


def _say(began: float, text: str) -> None:
    """One line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r  [{time.monotonic() - began:5.1f} s] {text}", end="", file=sys.stderr, flush=True)
