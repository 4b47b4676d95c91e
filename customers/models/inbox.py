"""What was accepted and waits to be resolved, what was seen before, and what was refused."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.event import TimeSource
from customers.models.identity import Assurance
from customers.models.owned import Owned
from customers.models.source import Source
from customers.personal import TEXT, personal
from customers.reach import ByBrand, OfOrganisation


class InboxItem(Owned):
    """One accepted message, durable before the answer leaves; deleted by resolve.

    Its id is the one its event will have: the sequence of events counts both. `identifiers` is a JSON array of
    [kind, value, original], where an alias's former name has a fourth member, true, and what is said inside a fifth,
    the namespace of a name that another source gave; `identifier_keys` holds one
    `hash64(namespace, kind, value)` each, so that a send guard finds unresolved messages of a person.
    """

    reach = ByBrand("source__brand")

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField(_("received at"))
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    message_id = models.CharField(_("message id"), max_length=100)
    kind = models.CharField(_("kind"), max_length=8)
    name = models.CharField(_("event name"), max_length=120)
    occurred_at = models.DateTimeField(_("occurred at"))
    schema_version_id = models.BigIntegerField(_("schema version"), null=True)
    historical = models.BooleanField(_("historical"), default=False)
    unplanned = models.BooleanField(
        _("unplanned"), default=False, db_default=False, help_text=_("No event type, and the source marks such events.")
    )
    time_source = models.SmallIntegerField(
        _("time from"), choices=TimeSource.choices, default=TimeSource.TOLD, db_default=0
    )
    assurance = models.SmallIntegerField(
        _("assurance"), null=True, choices=Assurance.choices, help_text=_("How sure its sender says to be of whom.")
    )
    identifiers = personal(models.TextField(_("identifiers")), TEXT)
    identifier_keys = ArrayField(models.BigIntegerField())
    payload = personal(models.TextField(_("payload")), TEXT)

    class Meta:
        verbose_name = _("inbox item")
        verbose_name_plural = _("inbox")
        db_table = "customers_inbox"
        indexes = (
            # Read by the send guard: what has this person sent that is not resolved yet?
            GinIndex(fields=["identifier_keys"], name="inbox_identifier_keys"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.message_id}"


class MessageKey(Owned):
    """Every message ever accepted, for as long as retention lasts: the dedupe table.

    `key` is `hash_uuid(source id, message id)`; `fingerprint` digests the canonical message.
    """

    reach = OfOrganisation()

    key = models.UUIDField(primary_key=True)
    fingerprint = models.UUIDField(_("fingerprint"))
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("message key")
        verbose_name_plural = _("message keys")

    def __str__(self) -> str:
        return str(self.key)


class QuarantinedEvent(Owned):
    """Something refused, kept with its reason so that it can be found, mended and replayed."""

    reach = ByBrand("source__brand", squad="source__squad")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        REPLAYED = "replayed", _("replayed")
        DISCARDED = "discarded", _("discarded")

    class Reason(models.TextChoices):
        """Why something is discarded: chosen, so that it can be counted and says nothing of anybody."""

        TEST = "test", _("a test, never meant to count")
        BROKEN = "broken", _("broken beyond mending")
        STALE = "stale", _("too old to matter")
        REPEATED = "repeated", _("sent again since, in order")
        UNWANTED = "unwanted", _("nothing we want to have")
        # By erasure alone: what it said is gone.
        ERASED = "erased", _("of somebody who was erased")

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField(_("received at"), db_index=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", verbose_name=_("source"))
    door = models.CharField(_("door"), max_length=20)
    code = models.CharField(_("code"), max_length=64, db_index=True)
    pointer = models.CharField(_("pointer"), max_length=500, blank=True)
    detail = personal(models.TextField(_("detail"), blank=True), TEXT)
    message_id = models.CharField(_("message id"), max_length=100, blank=True)
    name = models.CharField(_("event name"), max_length=120, blank=True)
    raw = personal(models.TextField(_("raw"), help_text=_("The refused item as it came, at most 64 KB.")), TEXT)
    from_page = models.BooleanField(
        _("from a page"),
        default=False,
        db_default=False,
        help_text=_("Sent with a browser key: what it says of who somebody is counts as a claim, also when replayed."),
    )
    # One `hash64` of each value that seems to name somebody, as it was written: see `customers.accept.naming`.
    naming = ArrayField(models.BigIntegerField(), default=list, db_default=[], editable=False)
    # The received body that it was read from: interpreted anew, it says so again or no longer.
    body_id = models.BigIntegerField(_("received body"), null=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    reason = models.CharField(
        _("reason"),
        max_length=10,
        choices=Reason.choices,
        blank=True,
        db_default="",
        help_text=_("Why it was discarded."),
    )
    # What the last replay answered, where it did not help.
    last_code = models.CharField(_("refused again by"), max_length=64, blank=True, db_default="")
    tried_at = models.DateTimeField(_("tried at"), null=True, blank=True)

    class Meta:
        verbose_name = _("quarantined event")
        verbose_name_plural = _("quarantine")
        ordering = ("-id",)
        indexes = (
            # Read by the counters per source and code.
            models.Index(fields=("source", "code", "status"), name="quarantine_by_source_and_code"),
            # Read by the search for what names somebody.
            GinIndex(fields=["naming"], name="quarantine_naming"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.pointer}"
