"""Tasks for people: what a person of ours is to do for a message that no machine delivers, such as a call."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from channels.models.message import Message
from customers.ids import new_id
from customers.models import Address, Brand, Profile, Squad
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer
from customers.personal import TEXT, personal


class Task(Owned):
    """Made as its message is sent, once by `key`. Whether somebody may still be called is asked again when it is
    claimed, for then they are."""

    for_partners = OfNamedCustomer("profile__customer_id")

    class Kind(models.TextChoices):
        STORE = "store", pgettext_lazy("task", "in a store")
        CALL = "call", pgettext_lazy("task", "call")

    class State(models.TextChoices):
        """From open to claimed and back, and once to any of the others."""

        OPEN = "open", pgettext_lazy("task", "open")
        CLAIMED = "claimed", pgettext_lazy("task", "in hand")
        DONE = "done", pgettext_lazy("task", "done")
        CANCELLED = "cancelled", pgettext_lazy("task", "not to be done")
        EXPIRED = "expired", pgettext_lazy("task", "too late")

    class Outcome(models.TextChoices):
        REACHED = "reached", pgettext_lazy("task", "reached them")
        NOT_REACHED = "not_reached", pgettext_lazy("task", "did not reach them")
        WRONG_NUMBER = "wrong_number", pgettext_lazy("task", "the number is not theirs")
        NO_MORE = "no_more", pgettext_lazy("task", "they want no more of this")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField(_("key"), unique=True, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("squad")
    )
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("connector")
    )
    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, related_name="task", verbose_name=_("message")
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    address = models.ForeignKey(
        Address,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("phone"),
    )
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    queue = models.CharField(_("queue"), max_length=60, blank=True, help_text=_("Of which store, or of which team."))
    title = personal(models.CharField(_("what"), max_length=500), TEXT)
    instructions = personal(models.TextField(_("how"), blank=True), TEXT)
    priority = models.SmallIntegerField(_("priority"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    reason = models.CharField(_("reason"), max_length=20, blank=True)
    made_at = models.DateTimeField(_("made at"))
    due_at = models.DateTimeField(_("not later than"))
    not_before = models.DateTimeField(
        _("not before"), null=True, help_text=_("By a cap, by hours or by their own wish nobody calls them sooner.")
    )
    claimed_at = models.DateTimeField(_("claimed at"), null=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("in hand of")
    )
    # Of a partner: which token has it in hand.
    token_id = models.UUIDField(_("token"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    note = personal(models.CharField(_("note"), max_length=500, blank=True), TEXT)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ("-priority", "due_at", "id")
        constraints = (
            models.CheckConstraint(
                # Whose hand it is may be gone: who leaves takes no task along, and the sweep gives it back.
                condition=models.Q(state="claimed", claimed_at__isnull=False) | ~models.Q(state="claimed"),
                name="task_in_hand_since",
            ),
            models.CheckConstraint(
                condition=models.Q(state="done", ended_at__isnull=False) & ~models.Q(outcome="")
                | ~models.Q(state="done") & models.Q(outcome=""),
                name="task_done_with_an_outcome",
            ),
        )
        indexes = (
            # Read by the list: what is to be done, of a brand, first things first.
            models.Index(
                fields=("brand", "-priority", "due_at"),
                condition=models.Q(state__in=("open", "claimed")),
                name="task_to_be_done",
            ),
            # Read by the sweep: for what is it too late?
            models.Index(fields=("due_at",), condition=models.Q(state="open"), name="task_to_expire"),
            # Read by the API's list.
            models.Index(fields=("brand", "made_at"), name="task_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.id}"
