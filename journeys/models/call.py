"""Calls that runs make of other systems: what is to be asked, and how it went."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Profile
from customers.models.owned import Owned
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand
from journeys.models.journey import Journey, JourneyVersion
from journeys.models.run import Run


class Call(Owned):
    """One visit of a run to a step that asks another system; (run, visit) is unique, so nothing is asked twice.

    `due_at` is when it may be made next, and of one in a worker's hands when that worker is taken for dead.
    """

    reach = ByBrand("journey__brand", squad="journey__squad")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CALLING = "calling", _("in a worker’s hands")
        ANSWERED = "answered", _("answered")
        FAILED = "failed", _("failed")
        # The run was no longer there when the call was to be made.
        LEFT = "left", _("no longer needed")

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+",
                            verbose_name=_("run"))  # fmt: skip
    visit = models.IntegerField(_("visit"), help_text=_("The run’s move that led to the step."))
    journey = models.ForeignKey(Journey, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
                                related_name="+", verbose_name=_("journey"))  # fmt: skip
    version = models.ForeignKey(JourneyVersion, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
                                related_name="+", verbose_name=_("version"))  # fmt: skip
    profile = models.ForeignKey(Profile, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
                                related_name="+", verbose_name=_("profile"))  # fmt: skip
    step = models.SmallIntegerField(_("step"))
    connector_id = models.UUIDField(_("connector"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    settled_at = models.DateTimeField(_("settled at"), null=True)
    attempts = models.IntegerField(_("attempts"), default=0)
    crashes = models.SmallIntegerField(_("workers that died over it"), default=0)
    lease_token = models.BigIntegerField(_("lease token"), null=True)
    status = models.SmallIntegerField(_("HTTP status"), null=True)
    error = models.CharField(_("error"), max_length=20, default="", blank=True)
    # Attempts that failed, each with its time, error and for how many seconds the other side asked to be left alone.
    tries = models.JSONField(_("tries"), default=list)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = (models.UniqueConstraint(fields=("run", "visit"), name="one_call_per_visit"),)
        indexes = (
            # Read by whoever makes calls: what is due by a connector?
            models.Index(
                fields=("connector_id", "due_at"),
                condition=models.Q(state__in=("waiting", "calling")),
                name="call_due",
            ),
            # Read by lists: the newest calls of a journey.
            models.Index(fields=("journey", "created_at"), name="call_by_journey"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}.{self.visit}"


class CallContent(Owned):
    """What was asked and what came back: personal, so beside the call, from where erasure and retention may take it."""

    reach = ByBrand("call__journey__brand")

    call = models.OneToOneField(Call, on_delete=models.CASCADE, primary_key=True, db_constraint=False,
                                related_name="content")  # fmt: skip
    target = personal(models.TextField(_("path"), null=True, help_text=_("None could be made, if it is empty.")), TEXT)
    headers = personal(models.JSONField(_("headers"), default=dict), DOCUMENT)
    body = personal(models.TextField(_("body"), default="", blank=True), TEXT)
    reply = personal(
        models.TextField(_("reply"), default="", blank=True, help_text=_("Its first 2,000 characters.")), TEXT
    )
    gave = personal(models.JSONField(_("variables"), null=True, help_text=_("What the reply gives them.")), DOCUMENT)

    class Meta:
        verbose_name = _("content of a call")
        verbose_name_plural = _("contents of calls")

    def __str__(self) -> str:
        return str(self.call_id)
