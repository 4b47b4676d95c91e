"""Events: immutable facts, and beside each the personal payload that erasure may delete.

Both tables are partitioned by `received_at` (migration 0002), so their primary key in the database is
(id, received_at); Django's admin knows one key column, and ids come from one sequence.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.brand import Brand
from customers.models.identity import Profile
from customers.models.owned import Owned
from customers.models.source import Source
from customers.partner import FromSource
from customers.personal import DOCUMENT, personal
from customers.reach import Through


class TimeSource(models.IntegerChoices):
    """Whose word the time of an event is."""

    TOLD = 0, _("the sender")
    SERVER = 1, _("the server, since the sender told none")
    CORRECTED = 2, _("the sender, whose clock was corrected")
    AHEAD = 3, _("the sender, whose clock is ahead")


class Event(Owned):
    for_partners = FromSource()

    id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField(_("received at"))
    occurred_at = models.DateTimeField(_("occurred at"))
    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=8)
    name = models.CharField(_("name"), max_length=120)
    message_id = models.CharField(_("message id"), max_length=100)
    schema_version_id = models.BigIntegerField(_("schema version"), null=True)
    historical = models.BooleanField(_("historical"), default=False)
    unplanned = models.BooleanField(
        _("unplanned"), default=False, db_default=False, help_text=_("No event type, and the source marks such events.")
    )
    time_source = models.SmallIntegerField(_("time from"), choices=TimeSource.choices, default=TimeSource.TOLD)
    cause_id = models.BigIntegerField(_("cause"), null=True, help_text=_("The event an internal event follows from."))
    hops = models.SmallIntegerField(_("hops"), default=0)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        managed = False
        ordering = ("-received_at", "-id")

    def __str__(self) -> str:
        return self.name


class EventPayload(Owned):
    """`payload` is {properties or traits, context} as accepted, without what the event row holds."""

    reach = Through("event_id", "customers.Event")

    event_id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField(_("received at"))
    payload = personal(models.JSONField(_("payload")), DOCUMENT)

    class Meta:
        verbose_name = _("event payload")
        verbose_name_plural = _("event payloads")
        managed = False

    def __str__(self) -> str:
        return str(self.event_id)
