"""The work list on the staff pages: what is to be done first, and each task with what can be done about it."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.models import Reason, Task
from channels.worklist import turn
from channels.worklist.asking import NotNow
from channels.worklist.numbers import numbers
from channels.worklist.turn import By, NotYours
from customers import audit, clock
from customers.admin.base import Facts, ReadOnly, link
from customers.admin.show import Tone, state, when

_State = Task.State
_TONES: dict[Any, Tone] = {_State.OPEN: "info", _State.CLAIMED: "warn", _State.DONE: "good"}
_LONGEST = 500


@admin.register(Task)
class TaskAdmin(Facts):
    """Nobody writes into a task: it is claimed, given back and done by those who could change it otherwise."""

    list_display = (
        "what",
        state("state", _TONES, _("state")),
        state("kind", {}, _("kind")),
        "queue",
        "priority",
        when("not_before", _("not before")),
        when("due_at", _("not later than")),
        "assignee",
        state("outcome", {}, _("outcome")),
    )
    list_filter = ("state", "kind", "queue", "brand", "outcome")
    list_select_related = ("assignee",)
    search_fields = ("id", "queue", "profile__id", "profile__customer__id")
    search_help_text = _("A whole queue, or the id of a task, profile or customer.")
    ordering = ("-priority", "due_at", "pk")  # type: ignore[assignment]  # Facts has one
    when_empty = _("Nothing is to be done. Journeys make tasks by messages of connectors for stores and for calls.")
    change_form_template = "admin/channels/task.html"
    fieldsets = (
        (
            None,
            {"fields": ("title", "instructions", "phone", "not_before", "due_at", "state", "why_not", "outcome",
                        "note")},
        ),
        (
            _("Where it comes from"),
            {"fields": ("kind", "queue", "brand", "squad", "profile_link", "message_link", "connector", "priority",
                        "made_at", "assignee", "claimed_at", "ended_at")},
        ),
    )  # fmt: skip
    readonly_fields = (
        "title", "instructions", "phone", "not_before", "due_at", "state", "why_not", "outcome", "note", "kind",
        "queue", "brand", "squad", "profile_link", "message_link", "connector", "priority", "made_at", "assignee",
        "claimed_at", "ended_at",
    )  # fmt: skip

    def may_do(self, request: HttpRequest, task: Task) -> bool:
        """Not what facts allow, which is nothing, but what is allowed for any row."""
        return bool(super(ReadOnly, self).has_change_permission(request, task))

    @admin.display(description=_("what"))
    def what(self, task: Task) -> str:
        return task.title

    @admin.display(description=_("phone"))
    def phone(self, task: Task) -> str:
        """Told while it is in hand: before that nobody knows whether they may be called, after it nobody is to."""
        if task.state == _State.OPEN:
            return gettext("Claim it first: then it is asked whether they may be called.")
        if task.state != _State.CLAIMED:
            return ""
        said_no = gettext("They have said no meanwhile: do not call.")
        return numbers([task], clock.utcnow()).get(task.pk, said_no)

    @admin.display(description=_("reason"))
    def why_not(self, task: Task) -> str:
        return str(Reason(task.reason).label) if task.reason in Reason.values else task.reason

    profile_link = staticmethod(link("profile_id", "customers_profile", _("profile")))
    message_link = staticmethod(link("message_id", "channels_message", _("message")))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        extra: dict[str, Any] = {}
        task = self.get_object(request, object_id)
        if task is not None and self.may_do(request, task):
            mine = task.state == _State.CLAIMED and task.assignee_id == request.user.pk
            others = task.state == _State.CLAIMED and not mine
            extra |= {"may_claim": task.state == _State.OPEN, "is_mine": mine, "is_of_others": others,
                      "outcomes": Task.Outcome.choices}  # fmt: skip
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.act_view)
        return [path("<uuid:pk>/act/", view, name="channels_task_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What the buttons of a task's page do."""
        task = self.get_object(request, str(pk))
        if task is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if not self.may_do(request, task):
            raise PermissionDenied
        acts = {
            "claim": self._claim,
            "release": self._release,
            "complete": self._complete,
            "take_back": self._take_back,
        }
        act = acts.get(request.POST.get("do", "")) if request.method == "POST" else None
        if act is not None:
            try:
                act(request, task)
            except NotNow:
                self.message_user(request, gettext("Nobody may be called just now. Try again soon."), messages.WARNING)
            except NotYours:
                self.message_user(request, gettext("Somebody else was quicker, or it is over."), messages.WARNING)
        return HttpResponseRedirect(reverse("admin:channels_task_change", args=[task.pk]))

    def _claim(self, request: HttpRequest, task: Task) -> None:
        found = turn.claim(task.pk, By(user_id=request.user.pk), clock.utcnow())
        self._note(request, task, "task_claimed" if found is None else "task_not_claimed")
        if found is None:
            self.message_user(request, gettext("It is yours. They may be called now."), messages.SUCCESS)
            return
        why = str(Reason(found.reason).label) if found.reason in Reason.values else found.reason
        if found.until is None:
            text = gettext("Do not call: %(reason)s. The task is cancelled.") % {"reason": why}
            self.message_user(request, text, messages.ERROR)
        else:
            moment = date_format(timezone.localtime(found.until), "SHORT_DATETIME_FORMAT")
            text = gettext("Not now: %(reason)s. Claim it again from %(moment)s on.")
            self.message_user(request, text % {"reason": why, "moment": moment}, messages.WARNING)

    def _release(self, request: HttpRequest, task: Task) -> None:
        turn.release(task.pk, By(user_id=request.user.pk), clock.utcnow())
        self._note(request, task, "task_released")
        self.message_user(request, gettext("It is open for others again."), messages.SUCCESS)

    def _take_back(self, request: HttpRequest, task: Task) -> None:
        turn.take_back(task.pk)
        self._note(request, task, "task_taken_back")
        self.message_user(request, gettext("It is open for others again."), messages.SUCCESS)

    def _complete(self, request: HttpRequest, task: Task) -> None:
        outcome, note = request.POST.get("outcome", ""), request.POST.get("note", "").replace("\x00", "").strip()
        if outcome not in Task.Outcome.values or len(note) > _LONGEST:
            self.message_user(request, gettext("Say what came of it, in at most 500 characters."), messages.ERROR)
            return
        turn.complete(task.pk, By(user_id=request.user.pk), Task.Outcome(outcome), note, clock.utcnow())
        self._note(request, task, "task_done")
        self.message_user(request, gettext("Done."), messages.SUCCESS)

    def _note(self, request: HttpRequest, task: Task, action: str) -> None:
        kept = Task.objects.get(pk=task.pk)
        before, after = audit.changes(audit.picture(task), audit.picture(kept))
        audit.record(request.user, action, kept, before, after, now=clock.utcnow())
