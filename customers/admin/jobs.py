"""Long work that was asked for: how far it is, how it ended, and stopping it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import clock, jobs, personal
from customers.admin.base import Facts
from customers.admin.show import Tone, document, state, when
from customers.models import Job, Segment
from customers.segments.telling import coarse_words

_TONES: dict[str, Tone] = {"done": "good", "failed": "bad", "working": "info", "waiting": "warn"}


@admin.register(Job)
class JobAdmin(Facts):
    ordering = ("-created_at",)
    list_display = (
        "title",
        state("state", _TONES, _("state")),
        "progress",
        "asked_by",
        when("created_at", _("asked for")),
        when("ended_at", _("ended")),
    )
    list_filter = ("state", "kind", "brand")
    list_select_related = ("asked_by",)
    search_fields = ("id",)
    search_help_text = _("The id of a job.")
    when_empty = _("Nothing long was asked for: imports, exports and the like are listed here while they go on.")
    actions = ("stop",)
    fields = ("title", "state", "progress", "reason", "told", "brand", "asked_by", "created_at", "begun_at", "ended_at")
    readonly_fields = ("title", "progress", "told")

    @admin.display(description=_("job"))
    def title(self, job: Job) -> str:
        kind = jobs.kinds().get(job.kind)
        label = str(kind.label) if kind else job.kind
        return f"{label}: {job.subject}" if job.subject else label

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> SafeString | str:
        if _tells_members(job):
            return coarse_words(job.done)
        done = number_format(job.done, force_grouping=True)
        if not job.total:
            return done
        words = gettext("%(done)s of %(total)s") % {
            "done": done,
            "total": number_format(job.total, force_grouping=True),
        }
        bar = '<progress class="t-progress" max="{}" value="{}" aria-label="{}"></progress> {}'
        return format_html(bar, job.total, min(job.done, job.total), words, words)

    @admin.display(description=_("report"))
    def told(self, job: Job) -> SafeString | str:
        if _tells_members(job):
            return ""
        return document(job.report) if job.report else ""

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_job"))

    @admin.action(description=_("Stop: what is done stays done"), permissions=["stop"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        now = clock.utcnow()
        count = sum(jobs.cancel(key, now) for key in queryset.values_list("pk", flat=True))
        text = ngettext("%(count)s job was stopped.", "%(count)s jobs were stopped.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)


def _tells_members(job: Job) -> bool:
    """Whether its numbers tell who is in a segment whose rule asks what the reader may not read, or of people whom
    somebody has named."""
    kind = jobs.kinds().get(job.kind)
    if kind is None or not kind.counts_members or not personal.is_veiled(job):
        return False
    segment = job.arguments.get("segment")
    return segment is None or Segment.objects.filter(pk=segment, is_personal=True).exists()
