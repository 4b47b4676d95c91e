"""The kinds of the sense layer."""

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers.retention.kinds import Kind, hold, register
from customers.winner import FITS

_EVENTS: Final = "events"
# A value that was followed by another of the same profile before the cutoff, which may win in its place. Where an
# older value may count, the first or a trusted source's, all are kept.
_OUTDATED: Final = f"""
    EXISTS (
        SELECT 1 FROM customers_trait n LEFT JOIN customers_traitdefinition d ON d.name = n.name
        WHERE n.profile_id = t.profile_id AND n.name = t.name AND n.valid_from < %(cutoff)s
          AND (n.valid_from, n.event_id) > (t.valid_from, t.event_id) AND {FITS.replace("t.value", "n.value")}
    ) AND NOT EXISTS (SELECT 1 FROM customers_traitdefinition d WHERE d.name = t.name AND d.winner <> 'latest')
"""
_QUARANTINE_BRAND: Final = "(SELECT s.brand_id FROM customers_source s WHERE s.id = t.source_id)"
_HOOK_BRAND: Final = """
    (SELECT s.brand_id FROM customers_hook h JOIN customers_source s ON s.id = h.source_id WHERE h.id = t.hook_id)
"""
_IMPORT_BRAND: Final = """
    (SELECT s.brand_id FROM customers_import i JOIN customers_source s ON s.id = i.source_id WHERE i.id = t.parent_id)
"""
_IMPORT_ENDED: Final = """
    (SELECT j.ended_at FROM customers_import i JOIN customers_job j ON j.id = i.job_id WHERE i.id = t.parent_id)
"""
_WAITING: Final = """
    SELECT least((SELECT min(received_at) FROM customers_inbox), (SELECT min(received_at) FROM customers_match_queue))
"""

KINDS: Final = (
    Kind(
        "event_payloads",
        _("what events tell"),
        _("Months that a live run looks back into, or from which something waits to be worked on, stay."),
        400,
        months=("customers_eventpayload",),
    ),
    Kind(
        _EVENTS,
        _("events"),
        _("Months that a live run looks back into, or from which something waits to be worked on, stay."),
        400,
        months=("customers_eventpayload", "customers_event"),
        as_long_as="event_payloads",
    ),
    Kind(
        "message_keys",
        _("what repetitions are known by"),
        _("Kept as long as events at least: what is stored is never stored twice."),
        400,
        table="customers_messagekey",
        time="t.received_at",
        as_long_as=_EVENTS,
    ),
    Kind(
        "quarantine_open",
        _("quarantine, waiting"),
        _("What is settled has a time of its own."),
        180,
        table="customers_quarantinedevent",
        time="t.received_at",
        where="t.status = 'open'",
        brand=_QUARANTINE_BRAND,
    ),
    Kind(
        "quarantine_settled",
        _("quarantine, replayed or discarded"),
        _("Counted from when it was settled."),
        30,
        table="customers_quarantinedevent",
        time="t.settled_at",
        where="t.status <> 'open'",
        brand=_QUARANTINE_BRAND,
    ),
    Kind(
        "webhook_bodies",
        _("bodies that webhooks received"),
        _("One that waits to be interpreted stays; the events that were made of the others stay as long as events."),
        90,
        table="customers_receivedbody",
        time="t.received_at",
        where="t.status <> 'waiting'",
        brand=_HOOK_BRAND,
    ),
    Kind(
        "refused_rows",
        _("refused rows of files"),
        _("Counted from the end of the import; one under way keeps its own."),
        30,
        table="customers_refusedrow",
        time=_IMPORT_ENDED,
        brand=_IMPORT_BRAND,
    ),
    Kind(
        "trait_history",
        _("former values of traits"),
        _("The value that counts stays, and so does all of a trait whose first or trusted value counts."),
        730,
        table="customers_trait",
        time="t.valid_from",
        where=_OUTDATED,
    ),
    Kind(
        "dead_letters",
        _("dead letters, replayed"),
        _("One that was not replayed stays."),
        90,
        table="customers_deadletter",
        time="t.replayed_at",
    ),
    Kind(
        "jobs",
        _("jobs that are over"),
        _("One that something still names stays."),
        90,
        table="customers_job",
        time="t.ended_at",
        brand="t.brand_id",
    ),
    Kind(
        "tallies",
        _("tallies by the hour"),
        _("Nothing else counts on them."),
        760,
        table="customers_hourtally",
        time="t.hour",
        brand="(SELECT s.brand_id FROM customers_source s WHERE s.id = t.source_id)",
    ),
)
# Kept without an end, and why.
ALWAYS: Final = (
    (_("consent ledger, notices and evidence"), _("Proof of what somebody agreed to; erasure alone takes evidence.")),
    (_("audit trail, moves of runs, messages as facts"), _("Facts are only added to; the database refuses deletion.")),
    (_("keyed hashes of the erased, suppressions"), _("Whoever was erased or said no stays so.")),
    (_("inbox and queues"), _("Work that is not done yet; each row goes when it is.")),
    (_("files to be imported"), _("They go once they are imported; others after days that an installation sets.")),
    (_("kept answers of calls"), _("A week, as partners are promised; they go by themselves.")),
)


def _waiting(_now: datetime) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        moment: datetime | None = cursor.fetchone()[0]
    return moment


def register_ours() -> None:
    register(*KINDS)
    for key in ("event_payloads", _EVENTS):
        hold(key, _waiting)
