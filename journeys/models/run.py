"""Runs and what the engine writes about them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Profile
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer, OfNamedProfile
from customers.personal import DOCUMENT, personal
from customers.reach import ByBrand, Through
from journeys.models.cause import Cause
from journeys.models.journey import Journey, JourneyVersion


class Run(Owned):
    """One customer's way through one version: a narrow row, rewritten at each wait.

    `step` and `state` are indexes into the compiled version. `due_at` is the next time the run must be looked
    at; every active run has one, but those that rest since they came due while their journey was paused. `customer`
    is a copy of the profile's, moved by the merge queue.
    """

    reach = ByBrand("journey__brand", squad="journey__squad")
    for_partners = OfNamedCustomer()

    class Status(models.IntegerChoices):
        ACTIVE = 1, _("active")
        COMPLETED = 2, _("completed")
        EXITED = 3, _("exited")
        FAILED = 4, _("failed")
        EXPIRED = 5, _("expired")
        MERGED = 6, _("merged")

    id = models.BigAutoField(primary_key=True)
    journey = models.ForeignKey(
        Journey,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("journey"),
    )
    version = models.ForeignKey(
        JourneyVersion,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("version"),
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("customer"),
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("profile"),
    )
    entry_key = models.CharField(_("entry key"), max_length=200, default="", blank=True)
    status = models.SmallIntegerField(_("status"), choices=Status.choices, default=Status.ACTIVE)
    step = models.SmallIntegerField(_("step"))
    state = models.SmallIntegerField(_("state"))
    seq = models.IntegerField(_("sequence"), help_text=_("Transitions so far."))
    timed_out_step = models.SmallIntegerField(
        _("timed-out hold"),
        null=True,
        help_text=_("The hold whose time-out led here, until an event resumes."),
    )
    entered_at = models.DateTimeField(_("entered at"))
    stepped_at = models.DateTimeField(_("at this step since"))
    due_at = models.DateTimeField(_("due at"), null=True)
    # Of a journey that ends runs at some age: when that is, and until when the run would wait where it is otherwise.
    ends_at = models.DateTimeField(_("ends at the latest"), null=True)
    waits_until = models.DateTimeField(_("would wait until"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    rests_due_at = models.DateTimeField(_("came due while its journey was paused"), null=True)
    # Of a run that was merged: by which it comes back when the merge is undone.
    merged_into_id = models.BigIntegerField(_("merged into"), null=True)
    merged_due_at = models.DateTimeField(_("would have been due at"), null=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "journey", "entry_key"),
                condition=models.Q(status=1),
                # Its leading column also answers "the live runs of these customers", read by match.
                name="one_live_run_per_key",
            ),
        )
        indexes = (
            # Read by advance: which runs are due? It leaves out those without a time, as all are that ended. Not by
            # status: a planner that believes the table to be empty would go through it for each customer's live runs.
            models.Index(fields=("due_at",), condition=models.Q(due_at__isnull=False), name="run_due"),
            # Read by merges and by the customer's page: every run a profile ever entered.
            models.Index(fields=("profile",), name="run_by_profile"),
            # Read by a journey's numbers: the runs that entered in a period.
            models.Index(fields=("journey", "entered_at"), name="run_by_journey"),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} #{self.pk}"


class RunContext(Owned):
    """What a run entered with: the entry event, its variables, and the consent that let it in."""

    reach = ByBrand("run__journey__brand")

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="context"
    )
    event_id = models.BigIntegerField(_("entry event"), null=True)
    event_received_at = models.DateTimeField(_("entry event received at"), null=True)
    occurred_at = models.DateTimeField(_("entry occurred at"))
    message_id = models.CharField(_("entry message id"), max_length=100, blank=True)
    consent_entry_id = models.BigIntegerField(_("consent at entry"), null=True)
    variables = personal(
        models.JSONField(_("variables"), help_text=_("Properties of the entry event, personal.")), DOCUMENT
    )

    class Meta:
        verbose_name = _("run context")
        verbose_name_plural = _("run contexts")

    def __str__(self) -> str:
        return str(self.run_id)


class Transition(Owned):
    """Append-only: one move of one run. (run, seq) is unique: a double advance is an error, not a message."""

    reach = ByBrand("run__journey__brand")

    pk = models.CompositePrimaryKey("run_id", "seq")
    run = models.ForeignKey(
        Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="transitions"
    )
    seq = models.IntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    step_from = models.SmallIntegerField(_("from step"), null=True)
    step_to = models.SmallIntegerField(_("to step"), null=True, help_text=_("Empty: left by an exit."))
    state_to = models.SmallIntegerField(_("to state"))
    cause = models.SmallIntegerField(_("cause"), choices=Cause.choices)
    branch = models.SmallIntegerField(_("branch"), null=True)
    event_id = models.BigIntegerField(_("event"), null=True)
    event_received_at = models.DateTimeField(_("event received at"), null=True)
    # Steps and states are numbered by version: what comes before such a move is of this one (see journeys.moves).
    version_from = models.IntegerField(_("moved from version"), null=True)

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        indexes = (
            # Read wherever moves are read, to learn of which version each is: mostly empty.
            models.Index(
                fields=("run", "seq"), condition=models.Q(version_from__isnull=False), name="moved_between_versions"
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}.{self.seq}"


class RuleInputs(Owned):
    """The customer's traits that a rule looked at when it decided a move, and their segments and permissions: personal,
    so beside the transition, from where erasure can take them. What an event said is kept with the event and with the
    run's context."""

    reach = ByBrand("run__journey__brand")

    pk = models.CompositePrimaryKey("run_id", "seq")
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    seq = models.IntegerField(_("sequence"))
    traits = personal(models.JSONField(_("traits")), DOCUMENT)
    facts = personal(
        models.JSONField(_("what else"), null=True, help_text=_("Segments, permissions, and the run itself.")), DOCUMENT
    )

    class Meta:
        verbose_name = _("rule inputs")
        verbose_name_plural = _("rule inputs")

    def __str__(self) -> str:
        return f"{self.run_id}.{self.seq}"


class EntryMemory(Owned):
    """When a profile last entered and left a journey by a key; never pruned, so that `never` means never."""

    reach = Through("journey_id", "journeys.Journey")

    pk = models.CompositePrimaryKey("journey_id", "profile_id", "entry_key")
    journey_id = models.UUIDField(_("journey"))
    profile_id = models.UUIDField(_("profile"))
    entry_key = models.CharField(_("entry key"), max_length=200, default="")
    last_entered_at = models.DateTimeField(_("last entered at"))
    last_ended_at = models.DateTimeField(_("last ended at"), null=True)

    class Meta:
        verbose_name = _("entry memory")
        verbose_name_plural = _("entry memories")

    def __str__(self) -> str:
        return f"{self.journey_id} {self.profile_id}"


class EntryRefusal(Owned):
    """An entry event that started no run, and why."""

    reach = Through("journey_id", "journeys.Journey")
    for_partners = OfNamedProfile()

    class Reason(models.TextChoices):
        ALREADY_LIVE = "already_live", _("a run of this key is live")
        NOT_AGAIN = "not_again", _("entered before and may not again")
        NOT_YET = "not_yet", _("entered before, too short a time ago")
        NO_CONSENT = "no_consent", _("no consent")
        PAUSED = "paused", _("the person has paused messages")
        NO_ADDRESS = "no_address", _("no address for any channel")
        EXIT_ALREADY_TRUE = "exit_already_true", _("an exit rule already holds")
        KEY_MISSING = "key_missing", _("the entry key is missing")
        RESTRICTED = "restricted", _("the person had processing restricted")
        # Of somebody who was called in or started by API: an event that does not meet the rule is no entry event.
        RULE_NOT_MET = "rule_not_met", _("the entry rule does not hold")
        EXCLUDED = "excluded", _("in the segment that is kept out")
        ENTRY_CAP = "entry_cap", _("came in as often as the cap allows")
        OUTSIDE_RAMP = "outside_ramp", _("not in the group that goes first")
        CONCURRENCY_CAP = "concurrency_cap", _("in as many journeys as the brand allows")

    id = models.BigAutoField(primary_key=True)
    journey_id = models.UUIDField(_("journey"))
    version_id = models.IntegerField(_("version"))
    profile_id = models.UUIDField(_("profile"), db_index=True)
    entry_key = models.CharField(_("entry key"), max_length=200, default="", blank=True)
    event_id = models.BigIntegerField(_("event"), null=True)
    event_received_at = models.DateTimeField(_("event received at"), null=True)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    consent_entry_id = models.BigIntegerField(_("consent that refused"), null=True)
    live_run_id = models.BigIntegerField(_("run that was live"), null=True)
    exit_rule = models.SmallIntegerField(
        _("exit rule that held"), null=True, help_text=_("Its number in the version, from 0.")
    )
    # Of a cap that refused.
    counted = models.SmallIntegerField(_("counted"), null=True)
    most = models.SmallIntegerField(_("allowed"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("refused entry")
        verbose_name_plural = _("refused entries")
        # Read by a journey's numbers: who was refused in a period.
        indexes = (models.Index(fields=("journey_id", "at"), name="refusal_by_journey"),)

    def __str__(self) -> str:
        return f"{self.reason} {self.profile_id}"


class RecheckItem(Owned):
    """A run that has just parked: events committed meanwhile must still be looked for."""

    reach = Through("run_id", "journeys.Run")

    id = models.BigAutoField(primary_key=True)
    run_id = models.BigIntegerField(_("run"), db_index=True)

    class Meta:
        verbose_name = _("run to re-check")
        verbose_name_plural = _("re-check queue")
        db_table = "journeys_recheck_queue"

    def __str__(self) -> str:
        return str(self.run_id)


class CancelWatch(Owned):
    """What makes a waiting message needless: read by the send guard just before dispatch.

    Which events those are stands in the version, at `step`: a hold (its branches) or a message (its
    `cancel_on`); they count when they occurred in the run's window.
    """

    reach = Through("run_id", "journeys.Run")

    message_id = models.UUIDField(primary_key=True)
    run_id = models.BigIntegerField(_("run"))
    version_id = models.IntegerField(_("version"))
    step = models.SmallIntegerField(_("step whose events cancel"))

    class Meta:
        verbose_name = _("cancel watch")
        verbose_name_plural = _("cancel watches")

    def __str__(self) -> str:
        return str(self.message_id)
