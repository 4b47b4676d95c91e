"""Long work that somebody asked for: done in slices beside everything else, with its progress, stopped on demand."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.brand import Brand, Squad
from customers.models.owned import Owned


class Job(Owned):
    """`cursor` is where the next slice begins, `report` what people are told; neither holds anything personal."""

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("job", "waiting")
        WORKING = "working", pgettext_lazy("job", "working")
        DONE = "done", pgettext_lazy("job", "done")
        FAILED = "failed", pgettext_lazy("job", "failed")
        CANCELLED = "cancelled", pgettext_lazy("job", "cancelled")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=32)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("brand")
    )
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("squad")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    arguments = models.JSONField(_("arguments"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    total = models.BigIntegerField(_("of"), null=True, blank=True)
    done = models.BigIntegerField(_("done"), default=0)
    cursor = models.JSONField(_("where it stands"), default=dict)
    report = models.JSONField(_("report"), default=dict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    # Slices begun since the last that got anywhere: a job that kills its workers is given up.
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    leased_until = models.DateTimeField(_("in work until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("slice"), default=0)
    created_at = models.DateTimeField(_("asked for at"))
    begun_at = models.DateTimeField(_("begun at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created_at",)
        indexes = (
            # Read by those who look for work.
            models.Index(
                fields=("created_at",), condition=models.Q(state__in=("waiting", "working")), name="job_to_be_done"
            ),
        )

    def __str__(self) -> str:
        return self.subject or self.kind

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED, self.State.CANCELLED)
