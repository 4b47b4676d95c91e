"""Outgoing webhooks: where they go and of what they tell, how they are, and what can be done with them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels.admin.webhook_words import words
from channels.models import WebhookEndpoint
from channels.web.address import RefusedAddress
from channels.webhooks import endpoints, replay
from channels.webhooks.addresses import check
from channels.webhooks.health import Health, health
from channels.webhooks.replay import Span
from channels.webhooks.secrets import TooManySecrets
from customers import audit, clock
from customers.admin.base import Kept
from customers.admin.fields import Lines
from customers.admin.show import Tone, badge, moment

if TYPE_CHECKING:
    EndpointModelForm = forms.ModelForm[WebhookEndpoint]
else:
    EndpointModelForm = forms.ModelForm

Off = WebhookEndpoint.Off
MOST_NAMES: Final = 200
# Under this name a request carries a new secret from where it is made to where it is shown.
_CARRIED: Final = "new_webhook_secret"
_LONGEST_NAME: Final = 120
_DELIVERIES: Final = "admin:channels_webhookdelivery_changelist"
_LONGEST_SPAN: Final = timedelta(days=400)


class EndpointForm(EndpointModelForm):
    events = Lines(
        label=_("events"),
        help_text=_("Exact names, one a line. Names of what happens inside count as well: segment.entered."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = "__all__"

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            check(url)
        except RefusedAddress as error:
            text = _("This address may not be called: %(reason)s.")
            raise ValidationError(text, code="destination_not_allowed", params={"reason": error}) from None
        return url

    def clean_events(self) -> list[str]:
        names: list[str] = self.cleaned_data["events"]
        if len(names) > MOST_NAMES or any(len(name) > _LONGEST_NAME for name in names):
            raise ValidationError(_("At most 200 names, of 120 characters each."), code="names")
        return names


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Kept):
    form = EndpointForm
    change_form_template = "admin/channels/webhook.html"
    list_display = ("name", "brand", "place", "standing", "waiting", "success", "last_failure")
    list_filter = ("brand", "is_active", "off_reason")
    list_select_related = ("brand",)
    search_fields = ("name", "url", "owner")
    search_help_text = _("A part of the name, address or owner.")
    autocomplete_fields = ("brand", "squad")
    when_empty = _("An outgoing webhook has another system told of events, each at least once.")
    readonly_fields = ("standing", "token")
    fieldsets = (
        (None, {"fields": ("name", "brand", "squad", "url", "is_active", "standing")}),
        (_("What it is told"), {"fields": ("events", "tells_personal", "tells_history", "concurrency")}),
        (_("Who answers for it"), {"fields": ("owner", "documentation_url", "token")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """What there is to say of one that is not yet made is left out."""
        left_out = {"standing", "token"} if obj is None else {"token"} if obj.token_id is None else set()
        return tuple(
            (head, {"fields": tuple(name for name in options["fields"] if name not in left_out)})
            for head, options in self.fieldsets
        )

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        # Secrets and what was told hang on the endpoint, and the endpoint on its brand.
        return self.readonly_fields if obj is None else ("brand", *self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_removed = obj is not None and obj.off_reason == Off.REMOVED
        return not is_removed and super().has_change_permission(request, obj)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """All that a page shows is learned by one statement."""
        found = super().get_changelist_instance(request)
        healths = health([row.pk for row in found.result_list], clock.utcnow())
        for row in found.result_list:
            row.__dict__["health"] = healths[row.pk]
        return found

    @admin.display(description=_("address"), ordering="url")
    def place(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.url.partition("://")[2].partition("/")[0].partition("?")[0]

    @admin.display(description=_("status"), ordering="is_active")
    def standing(self, endpoint: WebhookEndpoint) -> SafeString:
        return standing(endpoint)

    @admin.display(description=_("waiting"))
    def waiting(self, endpoint: WebhookEndpoint) -> SafeString | str:
        found = _health_of(endpoint)
        if not found.waiting or found.oldest is None:
            return "0"
        return format_html("{} · {}", number_format(found.waiting, force_grouping=True), moment(found.oldest))

    @admin.display(description=_("succeeded in 24 h"))
    def success(self, endpoint: WebhookEndpoint) -> str:
        percent = _health_of(endpoint).percent
        return "" if percent is None else f"{number_format(percent, 1)} %"

    @admin.display(description=_("last failure"))
    def last_failure(self, endpoint: WebhookEndpoint) -> SafeString | str:
        found = _health_of(endpoint)
        return format_html("{} · {}", words(found.failed_by), moment(found.failed_at)) if found.failed_at else ""

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        now = clock.utcnow()
        was_off = change and not WebhookEndpoint.objects.filter(pk=obj.pk, is_active=True).exists()
        secret = endpoints.keep(obj, now)
        if obj.is_active and was_off:
            endpoints.switch_on(obj, now)
        if secret:
            vars(request)[_CARRIED] = secret

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: Any = None) -> HttpResponse:
        return self._shown(request, obj, vars(request).pop(_CARRIED))

    def _shown(self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
        """In the answer itself: what is said by messages is kept in a cookie or session until the next page."""
        context = {
            **self.admin_site.each_context(request),
            "title": endpoint.name,
            "opts": self.opts,
            "secret": secret,
            "onward": reverse("admin:channels_webhookendpoint_change", args=[endpoint.pk]),
        }
        return TemplateResponse(request, "admin/channels/webhook_secret.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        extra: dict[str, Any] = {}
        endpoint = self.get_object(request, object_id)
        if endpoint is not None:
            now = timezone.localtime(clock.utcnow())
            found = health([endpoint.pk], now)[endpoint.pk]
            extra = {
                "health": found,
                "failed_by": words(found.failed_by),
                "may_act": self.has_change_permission(request, endpoint),
                "since": (now - timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M"),
                "until": now.strftime("%Y-%m-%dT%H:%M"),
                "deliveries": f"{reverse(_DELIVERIES)}?endpoint__id__exact={endpoint.pk}",
            }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.act_view)
        return [path("<uuid:pk>/act/", view, name="channels_webhookendpoint_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What the buttons of an endpoint's page do."""
        endpoint = self.get_object(request, str(pk))
        if endpoint is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        acts: dict[str, Callable[[HttpRequest, WebhookEndpoint], str | HttpResponse]]
        acts = {"rotate": self._rotate, "test": self._test, "replay": self._replay, "remove": self._remove}
        act = acts.get(request.POST.get("do", "")) if request.method == "POST" else None
        to = act(request, endpoint) if act is not None else ""
        if isinstance(to, HttpResponse):
            return to
        return HttpResponseRedirect(to or reverse("admin:channels_webhookendpoint_change", args=[endpoint.pk]))

    def _rotate(self, request: HttpRequest, endpoint: WebhookEndpoint) -> str | HttpResponse:
        now = clock.utcnow()
        try:
            secret = endpoints.rotate(endpoint, now)
        except TooManySecrets:
            text = gettext("Three secrets hold already. Wait until the oldest has ended.")
            self.message_user(request, text, messages.ERROR)
            return ""
        audit.record(request.user, "webhook_secret", endpoint, None, None, now=now)
        return self._shown(request, endpoint, secret)

    def _test(self, request: HttpRequest, endpoint: WebhookEndpoint) -> str:
        if not endpoint.is_active:
            self.message_user(request, gettext("It is off: switch it on, and it is told."), messages.WARNING)
            return ""
        test = endpoints.ask_for_test(endpoint, clock.utcnow())
        return reverse("admin:channels_webhookdelivery_change", args=[test.pk])

    def _replay(self, request: HttpRequest, endpoint: WebhookEndpoint) -> str:
        now = clock.utcnow()
        since, until = _moment(request.POST.get("since", "")), _moment(request.POST.get("until", ""))
        if since is None or until is None or not timedelta() < until - since <= _LONGEST_SPAN:
            self.message_user(request, gettext("Say from when to when, at most 400 days."), messages.ERROR)
            return ""
        if not endpoint.is_active:
            self.message_user(request, gettext("It is off: switch it on, and it is told."), messages.WARNING)
            return ""
        # The field tells minutes: the last one is meant as a whole.
        span = Span(since, until + timedelta(minutes=1), request.POST.get("only_failed") == "1")
        job = replay.ask(endpoint, span, now, request.user)
        told = {"since": span.since, "until": span.until, "only_failed": span.only_failed}
        audit.record(request.user, "webhook_replay", endpoint, None, told, now=now)
        self.message_user(request, gettext("It is told once more, as a job."), messages.SUCCESS)
        return (
            reverse("admin:customers_job_change", args=[job.pk]) if request.user.has_perm("customers.view_job") else ""
        )

    def _remove(self, request: HttpRequest, endpoint: WebhookEndpoint) -> str:
        now = clock.utcnow()
        endpoints.remove(endpoint, now)
        audit.record(request.user, "webhook_removed", endpoint, None, None, now=now)
        self.message_user(request, gettext("It is removed. What it was told stays on record."), messages.SUCCESS)
        return reverse("admin:channels_webhookendpoint_changelist")


def standing(endpoint: WebhookEndpoint) -> SafeString:
    if not endpoint.is_active:
        tone: Tone = "warn" if endpoint.off_reason in (Off.BY_HAND, Off.REMOVED, "") else "bad"
        return badge(endpoint.get_off_reason_display() or _("switched off"), tone)
    if endpoint.failing_since is not None:
        is_told = endpoint.warned_at is not None and endpoint.warned_at >= endpoint.failing_since
        return badge(_("failing"), "bad" if is_told else "warn")
    return badge(pgettext_lazy("webhook", "active"), "good")


def _health_of(endpoint: WebhookEndpoint) -> Health:
    found: Health = endpoint.__dict__.get("health", Health())
    return found


def _moment(told: str) -> datetime | None:
    """A moment as a browser's field tells it, in the zone of the page."""
    try:
        return timezone.make_aware(datetime.fromisoformat(told[:19]))
    except (ValueError, OverflowError):
        return None
