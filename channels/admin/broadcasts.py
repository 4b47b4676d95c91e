"""Broadcasts on the staff pages: written as drafts, started, watched, paused and stopped; who got it, and who not."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.admin import broadcast_page
from channels.admin.broadcast_form import BroadcastForm
from channels.broadcasts import halt, pilot, start
from channels.broadcasts.states import By, NotPossible
from channels.models import Broadcast, BroadcastTally
from customers import audit, clock
from customers.admin.base import Kept, page_of
from customers.admin.show import Tone, state, when
from customers.authoring import durations

_State = Broadcast.State
_TONES: Final[dict[Any, Tone]] = {
    _State.DRAFT: "",
    _State.SCHEDULED: "info",
    _State.ENROLLING: "info",
    _State.PILOT: "info",
    _State.WAITING: "warn",
    _State.SENDING: "info",
    _State.PAUSED: "warn",
    _State.STOPPED: "bad",
    _State.DONE: "good",
}
_LONGEST: Final = 500


@admin.register(Broadcast)
class BroadcastAdmin(Kept):
    """A draft is written as any row; once started it is watched, and moved by those who may send."""

    form = BroadcastForm
    list_display = (
        "name",
        "brand",
        "segment",
        state("channel", {}, _("channel")),
        state("state", _TONES, _("state")),
        "how_far",
        when("begins_at", _("begins")),
        when("ended_at", _("ended")),
    )
    list_filter = ("state", "brand", "squad", "channel")
    list_select_related = ("brand", "segment", "progress")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    prepopulated_fields = {"key": ("name",)}
    change_form_template = "admin/channels/broadcast.html"
    when_empty = _("A broadcast says one thing to everybody in a segment. Write one, look at it, then start it.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Broadcast]:
        rows: QuerySet[Broadcast] = super().get_queryset(request)
        settled = BroadcastTally.objects.filter(broadcast=OuterRef("pk")).order_by().values("broadcast")
        return rows.annotate(settled=Subquery(settled.annotate(n=Sum("recipients")).values("n")))

    def get_fieldsets(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        goes = ("per_minute", "only_members", "priority")
        is_read = obj is not None and not self.has_change_permission(request, obj)
        late, wait = ("in_time", "waits") if is_read else ("late_after", "wait_for")
        return (
            (None, {"fields": ("name", "key", "brand", "squad")}),
            (_("What, to whom"), {"fields": ("segment", "purpose", "connector", "template")}),
            (
                _("When"),
                {"fields": ("when", "starts_at", ("local_day", "local_time"), late)},
            ),
            (_("How it goes"), {"fields": goes}),
            (
                _("A few first"),
                {
                    "fields": (
                        "pilot_percent",
                        wait,
                        "pilot_verdict",
                        ("most_bounced", "most_complained", "most_unsubscribed"),
                        ("least_delivered", "least_opened", "least_clicked"),
                    ),
                    "description": _(
                        "Limits are in percent of the pilot group’s messages that were handed over. Empty: no limit."
                    ),
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        return () if obj is None else ("key", "brand")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj is not None else super().get_prepopulated_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Broadcast | None = None) -> bool:
        """What is started is changed by nobody: people may have it already."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == _State.DRAFT)

    def may_send(self, request: HttpRequest, broadcast: Broadcast) -> bool:
        may = bool(request.user.has_perm("channels.send_broadcast"))
        return may and bool(super().has_change_permission(request, broadcast))

    @admin.display(description=_("not later than"))
    def in_time(self, broadcast: Broadcast) -> str:
        return durations.in_words(broadcast.not_later_than)

    @admin.display(description=_("wait for"))
    def waits(self, broadcast: Broadcast) -> str:
        return durations.in_words(broadcast.pilot_wait)

    @admin.display(description=_("progress"))
    def how_far(self, broadcast: Any) -> SafeString | str:
        all_ = getattr(getattr(broadcast, "progress", None), "recipients", 0)
        if not all_ or broadcast.segment.is_personal:
            return ""
        percent = int(100 * (broadcast.settled or 0) / all_)
        words = gettext("%(percent)s %% of %(number)s") % {
            "percent": percent,
            "number": number_format(all_, force_grouping=True),
        }
        return format_html(
            '<progress class="t-bar" max="100" value="{}" aria-label="{}"></progress> {}', percent, words, words
        )

    def save_model(self, request: HttpRequest, obj: Broadcast, form: Any, change: bool) -> None:
        """What was started since its page was asked for is left as it is; what others changed meanwhile stands."""
        if change:
            theirs = [field.name for field in Broadcast._meta.concrete_fields if field.name not in _written(form)]
            obj.refresh_from_db(fields=theirs, from_queryset=Broadcast.objects.select_for_update(no_key=True))
            if obj.state != _State.DRAFT:
                return
        super().save_model(request, obj, form, change)

    def log_change(self, request: HttpRequest, obj: Broadcast, message: Any) -> Any:
        return super().log_change(request, obj, message) if obj.state == _State.DRAFT else None

    def response_change(self, request: HttpRequest, obj: Broadcast) -> Any:
        if obj.state == _State.DRAFT:
            return super().response_change(request, obj)
        self.message_user(request, gettext("Nothing was saved: it was started meanwhile."), messages.ERROR)
        return HttpResponseRedirect(page_of(obj))

    def response_add(self, request: HttpRequest, obj: Broadcast, post_url_continue: Any = None) -> Any:
        """Whoever writes one goes on to look at it."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, gettext("Look at it, then start it."), messages.SUCCESS)
        return HttpResponseRedirect(page_of(obj))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        broadcast = self.get_object(request, object_id)
        if broadcast is None or not self.has_view_permission(request, broadcast):
            return super().change_view(request, object_id, form_url, extra_context)
        if request.GET.get("part") == "progress":
            told = {**broadcast_page.progress(request, broadcast), "original": broadcast}
            return TemplateResponse(request, "admin/channels/broadcast_progress.html", told)
        extra = broadcast_page.context(request, broadcast, may_send=self.may_send(request, broadcast))
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.act_view)
        return [path("<uuid:pk>/act/", view, name="channels_broadcast_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What the buttons of a broadcast's page do."""
        broadcast = self.get_object(request, str(pk))
        if broadcast is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if not self.may_send(request, broadcast):
            raise PermissionDenied
        act = _ACTS.get(request.POST.get("do", "")) if request.method == "POST" else None
        if act is not None:
            self._act(request, broadcast, request.POST["do"], act)
        return HttpResponseRedirect(page_of(broadcast))

    def _act(self, request: HttpRequest, broadcast: Broadcast, what: str, act: "_Act") -> None:
        if what in _ASKED_TWICE and request.POST.get("sure") != "yes":
            self.message_user(request, gettext("Nothing was done: say that you are sure."), messages.WARNING)
            return
        why = request.POST.get("why", "").replace("\x00", "").strip()[:_LONGEST]
        try:
            told = act(broadcast, By(user=request.user), why)  # type: ignore[arg-type]  # somebody known
        except NotPossible as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        before, kept = broadcast.state, Broadcast.objects.get(pk=broadcast.pk)
        after = {"state": kept.state, **({"why": why} if why else {})}
        audit.record(
            request.user, f"broadcast_{what}", kept, {"state": before}, after, brand=kept.brand, now=clock.utcnow()
        )
        self.message_user(request, told, messages.SUCCESS)


def _written(form: Any) -> set[str]:
    """The fields that somebody changed in the form, by their names at the broadcast."""
    changed = set(form.changed_data)
    return changed | {follows for asked, follows in _FOLLOWS.items() if asked in changed}


_FOLLOWS: Final = {"connector": "channel", "late_after": "not_later_than", "wait_for": "pilot_wait"}
_Act = Callable[[Broadcast, By, str], str]


def _start(broadcast: Broadcast, by: By, why: str) -> str:
    start.start(broadcast, by, clock.utcnow())
    return gettext("It is started.")


def _take_back(broadcast: Broadcast, by: By, why: str) -> str:
    start.take_back(broadcast, by, clock.utcnow())
    return gettext("It is a draft again.")


def _pause(broadcast: Broadcast, by: By, why: str) -> str:
    halt.pause(broadcast, by, clock.utcnow(), why)
    return gettext("It is paused: nothing of it goes out any more.")


def _resume(broadcast: Broadcast, by: By, why: str) -> str:
    halt.resume(broadcast, by, clock.utcnow(), why)
    return gettext("It goes on where it was.")


def _stop(broadcast: Broadcast, by: By, why: str) -> str:
    halt.stop(broadcast, by, clock.utcnow(), why)
    return gettext("It is stopped for good: nothing of it goes out any more.")


def _go_on(broadcast: Broadcast, by: By, why: str) -> str:
    pilot.go_on(broadcast, clock.utcnow(), by=by, why=why)
    return gettext("The others get it as well.")


_ACTS: Final[dict[str, _Act]] = {
    "start": _start,
    "take_back": _take_back,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "go_on": _go_on,
}
# What cannot be taken back.
_ASKED_TWICE: Final = frozenset(("start", "stop", "go_on"))
