"""The demo from an empty database to an address one can open, and until it is ended."""

import argparse
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.demo.installation import CLUB_HOST, Installation
from config.demo.vault import FOLDER, Vault, close_vault, open_vault, path_of
from config.processes import ProcessError, port_from

_LOOK_SECONDS = 1.0


def run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    vault_path = path_of(os.environ["DATABASE_URL"])
    with _alone(vault_path.with_suffix(".lock")) as lock:
        port = port_from(options.port)
        url = f"http://127.0.0.1:{port}"
        os.environ["TRILHA_PUBLIC_URL"] = url
        club_port = port_from(port + 1)
        club = f"{CLUB_HOST}:{club_port}"
        os.environ["TRILHA_CALL_HOSTS"] = ",".join(filter(None, (os.environ.get("TRILHA_CALL_HOSTS"), club)))
        vault = _prepare(options, vault_path, club, began)
        passed_on = ("DATABASE_URL", "TRILHA_PUBLIC_URL", "TRILHA_DEMO", "TRILHA_CALL_HOSTS")
        environment = {name: os.environ[name] for name in passed_on}
        write_keys = {} if options.no_traffic else vault.write_keys
        with Installation(environment, port, club_port, vault_path.with_suffix(""), write_keys) as installation:
            _note(lock, url)
            print(welcome(url, vault, time.monotonic() - began), flush=True)
            while True:
                time.sleep(_LOOK_SECONDS)
                installation.check()


def _prepare(options: argparse.Namespace, vault_path: Path, club: str, began: float) -> Vault:
    """The database with the company in it, and a vault that opens it."""
    import django

    os.environ.setdefault("LOG_LEVEL", "ERROR")
    django.setup()
    from config.demo import loading

    loading.load(fresh=options.fresh, people=options.people, began=began)
    vault = open_vault(vault_path, loading.usernames())
    loading.hand_out(vault, club)
    close_vault(vault_path, vault)
    return vault


@contextmanager
def _alone(path: Path) -> Iterator[IO[str]]:
    """Be the only demo on this database; another one is named with its address."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ProcessError(f"is running already, at {lock.read().strip() or 'an address not known yet'}") from None
        _note(lock, "")
        yield lock
        _note(lock, "")


def _note(lock: IO[str], url: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(url)
    lock.flush()


def welcome(url: str, vault: Vault, seconds: float) -> str:
    """What is printed once everything answers."""
    from config.demo.brands import BRANDS
    from config.demo.staff import LOG_INS

    width = max(len(seat.username) for seat in LOG_INS)
    log_ins = [f"    {seat.username:<{width}}  {vault.passwords[seat.username]}  {seat.what}" for seat in LOG_INS]
    return "\n".join(
        (
            "",
            f"  Ipê & Wattle is open, after {seconds:.0f} s:  {url}/admin/",
            "",
            "  Log in as",
            *log_ins,
            "",
            "  Partner API",
            f"    docs   {url}/api/v1/docs",
            f"    token  {vault.partner_token}",
            f"    curl -H 'Authorization: Bearer {vault.partner_token}' {url}/api/v1/journeys",
            "",
            "  Be a customer yourself: a page with trilha.js",
            *(f"    {url}/demo/{brand.key}/" for brand in BRANDS),
            "",
            "  Nothing is really sent: read it in the outbox of the sandbox,",
            f"    {url}/admin/channels/message/outbox/",
            "",
            "  A journey asks another system for stamp cards: a small process beside this one,",
            "  whose answers are made up.",
            "",
            "  Ctrl-C ends everything.",
            "",
        )
    )
