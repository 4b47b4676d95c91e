"""`dispatch.smtp`: letters sent with all that is looked at, locked and written, against smtplib with the same bytes to
the same server."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.db import connection as django_connection
from django.db import transaction
from psycopg import Connection

from bench.database import empty
from bench.letters import letter
from channels.dispatch.claim import claim, give_back
from channels.dispatch.compose import Texts, compose
from channels.dispatch.due import dispatch_due
from channels.models import Connector, TemplateVersion
from channels.outbox import write_messages
from channels.providers.smtp.mail import Mailbox, build_mail
from consent.models import Purpose
from customers.clock import utcnow
from customers.pg import raw_cursor

LETTERS: Final = 4_000
# As many conversations at once on either side.
AT_ONCE: Final = 4
BATCH: Final = 100
_SENDER: Final = Mailbox("Acme", "news@acme.example")
_PEOPLE: Final = "SELECT profile_id, address_id FROM customers_addressprofile LIMIT %s"


class Letters:
    """The same people are written to in each round; `rows` letters."""

    def __init__(self, connection: "Connection[Any]", port: int, letters: int) -> None:
        self._connection, self._port, self.rows = connection, port, letters
        config = {"host": "127.0.0.1", "port": port, "security": "none"}
        Connector.objects.update(provider="smtp", config=config, concurrency=AT_ONCE)
        self._connector = Connector.objects.get()
        self._people: list[tuple[UUID, UUID]] = connection.execute(_PEOPLE, [letters]).fetchall()
        self._mails = self._made()

    def ours(self) -> float:
        self._queue()
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = sum(pool.map(self._work, range(AT_ONCE)))
        rate = self.rows / (time.perf_counter() - began)
        rows = self._connection.execute("SELECT state, count(*) FROM channels_message GROUP BY state").fetchall()
        if sent != self.rows or rows != [("sent", self.rows)]:
            raise RuntimeError(f"{sent} were looked at, and then they were {rows}")
        return rate

    def bare(self) -> float:
        shares = [self._mails[start::AT_ONCE] for start in range(AT_ONCE)]
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._post, shares))
        return self.rows / (time.perf_counter() - began)

    def _work(self, _worker: int) -> int:
        try:
            total = 0
            while done := dispatch_due(self._connector.pk, utcnow(), BATCH):
                total += done
            return total
        finally:
            django_connection.close()

    def _post(self, mails: list[tuple[str, bytes]]) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, local_hostname="localhost") as client:
            for recipient, mail in mails:
                client.sendmail(_SENDER.address, [recipient], mail)

    def _queue(self) -> None:
        empty(self._connection, "channels_message", "channels_recentsend")
        now, purpose, version = utcnow(), Purpose.objects.get(key="news"), TemplateVersion.objects.get()
        with transaction.atomic(), raw_cursor() as cursor:
            write_messages(cursor, [letter(*one, now, purpose, version.pk, self._connector.pk) for one in self._people])
        self._connection.execute("ANALYZE channels_message")

    def _made(self) -> list[tuple[str, bytes]]:
        """What ours sends, made beforehand."""
        self._queue()
        now = utcnow()
        messages = claim(self._connector.pk, now, self.rows).messages
        texts = Texts.load(message.template_version_id for message in messages)
        outgoing = [compose(one, texts, one.address_id, now) for one in messages if one.address_id]
        give_back(messages, now)
        return [(one.to, build_mail(one, _SENDER, {})) for one in outgoing]


@contextmanager
def server() -> Iterator[int]:
    """The port at which a process of its own takes whatever mail comes."""
    command = [sys.executable, "-m", "config.loop.smtp_sink"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
