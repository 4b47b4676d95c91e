"""`broadcast.enrol`: everybody in a segment taken into a broadcast, in pieces with a cursor each, against one bare
INSERT … SELECT of the same rows; and how large the process gets that does it."""

import resource
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from psycopg import Connection

from bench.database import empty
from bench.journey import T0
from channels.broadcasts.enrol import PIECE, enrol_piece
from channels.models import Broadcast, BroadcastProgress, Connector, TemplateVersion
from consent.models import Purpose
from customers.models import Segment

# There are no people beside it: nothing but the membership is read.
_MEMBERS = """
    INSERT INTO customers_segmentmembership (segment_id, profile_id, customer_id, entered_at, rule_version, historical)
    SELECT %(segment)s, ('00000000-0000-7001-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
        ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, %(at)s, 0, false
    FROM generate_series(1, %(people)s) n
"""
_BARE = """
    INSERT INTO channels_broadcastrecipient (broadcast_id, profile_id, zone, is_pilot, outcome)
    SELECT %(broadcast)s, profile_id, 0, false, '' FROM customers_segmentmembership
    WHERE segment_id = %(segment)s AND left_at IS NULL
"""


class Enrolment:
    """One segment; each round it is taken in anew, into tables that are empty."""

    def __init__(self, connection: "Connection[Any]", people: int) -> None:
        self._connection, self.people = connection, people
        purpose = Purpose.objects.get(key="news")
        connector, version = Connector.objects.first(), TemplateVersion.objects.select_related("template").first()
        if connector is None or version is None:
            raise RuntimeError("the journey of the bench has neither connector nor template")
        segment = Segment.objects.create(
            brand=purpose.brand, key="everybody", name="Everybody", is_static=True, state=Segment.State.LIVE
        )
        empty(connection, "customers_segmentmembership")
        values = {"segment": segment.pk, "at": T0 - timedelta(days=1), "people": people}
        connection.execute(_MEMBERS.encode(), values)
        connection.execute("ANALYZE customers_segmentmembership")
        self.broadcast = Broadcast.objects.create(
            brand=purpose.brand, key="bench", name="Bench", segment=segment, purpose=purpose, channel="email",
            connector=connector, template=version.template, template_version=version, state="enrolling",
            begins_at=T0, begun_at=T0,
        )  # fmt: skip

    def in_pieces(self) -> float:
        self._set_back()
        began = time.perf_counter()
        take_in(self.broadcast)
        return self._rate(began)

    def bare(self) -> float:
        self._set_back()
        values = {"broadcast": self.broadcast.pk, "segment": self.broadcast.segment_id}
        began = time.perf_counter()
        self._connection.execute(_BARE.encode(), values)
        return self._rate(began)

    def megabytes(self) -> float:
        """Of a process that does nothing else, the most memory it had at once."""
        self._set_back()
        # The models are there once Django has read its settings.
        told = f"import django; django.setup(); from bench.channels.enrol import alone; alone('{self.broadcast.pk}')"
        done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
        self._rate(0.0)
        return float(done.stdout.split()[-1])

    def _set_back(self) -> None:
        empty(self._connection, "channels_broadcastrecipient", "channels_broadcastprogress", "channels_broadcastmove")
        BroadcastProgress.objects.create(broadcast=self.broadcast)
        Broadcast.objects.filter(pk=self.broadcast.pk).update(state="enrolling", is_enrolled=False)

    def _rate(self, began: float) -> float:
        took = time.perf_counter() - began
        row = self._connection.execute("SELECT count(*) FROM channels_broadcastrecipient").fetchone()
        if row is None or row[0] != self.people:
            raise RuntimeError("not everybody was taken in")
        return self.people / took


def take_in(broadcast: Broadcast) -> None:
    while enrol_piece(broadcast, T0, PIECE):
        continue


def alone(broadcast_id: str) -> None:
    """For a process of its own: take everybody in, and tell how much memory that took at most."""
    take_in(Broadcast.objects.select_related("brand", "segment").get(pk=broadcast_id))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
