"""Connectors: a brand's accounts with providers, their secrets write-only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminSelectWidget

from channels.accounts import callback_url, calls_back
from channels.admin import fares
from channels.admin.settings import all_settings, collect, form_fields, settings_of
from channels.admin.stopping import StopActions
from channels.approvals.asking import ask
from channels.care.probe import CannotTry, probe
from channels.care.state import wake
from channels.models import Approval, Connector
from channels.providers import base as providers
from channels.secrets import SecretError, credentials_aad, open_sealed, seal
from customers import clock
from customers.admin.base import Kept
from customers.admin.show import badge, flag

if TYPE_CHECKING:
    ConnectorModelForm = forms.ModelForm[Connector]
else:
    ConnectorModelForm = forms.ModelForm

# Each may take as long as a call may last.
_TRIED: Final = 5
_SECRETS: Final = tuple(setting.name for setting in all_settings() if setting.secret)


class ConnectorBaseForm(ConnectorModelForm):
    provider = forms.ChoiceField(
        label=_("provider"), widget=UnfoldAdminSelectWidget(), help_text=_("Its settings stand below.")
    )
    forget = forms.BooleanField(
        label=_("remove what is kept"),
        required=False,
        help_text=_("Removes all credentials of this connector that are not given anew."),
    )

    class Meta:
        model = Connector
        exclude = ("config",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            self.fields["provider"].choices = [  # type: ignore[attr-defined]  # it is the ChoiceField above
                (key, providers.provider_class(key).label) for key in providers.provider_keys()
            ]
        if self.instance.provider in providers.provider_keys():
            for setting in settings_of(self.instance.provider):
                if not setting.secret and setting.key in self.instance.config:
                    self.initial.setdefault(setting.name, self.instance.config[setting.key])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        provider, channel = cleaned.get("provider"), cleaned.get("channel")
        if not provider:
            return cleaned
        if channel and channel not in providers.provider_class(provider).channels:
            self.add_error("channel", _("The provider does not serve this channel."))
        for setting in settings_of(provider):
            if setting.required and not setting.secret and cleaned.get(setting.name) in (None, ""):
                self.add_error(setting.name, _("The provider needs this."))
        if not self.errors:
            self._build(provider, cleaned)
        return cleaned

    def _build(self, provider: str, cleaned: dict[str, Any]) -> None:
        config = collect(provider, cleaned, secret=False)
        try:
            given = config, self._credentials(provider, cleaned)
            config, credentials = providers.provider_class(provider).completed(*given)
            providers.build(provider, config, credentials)
        except (providers.ConfigurationError, SecretError) as error:
            raise ValidationError(_("These settings do not fit: %(reason)s"), params={"reason": error}) from None
        self.instance.config = config
        cleaned["credentials"] = credentials

    def _credentials(self, provider: str, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Those just given over those kept; another provider's are of no use to this one."""
        given = collect(provider, cleaned, secret=True)
        if cleaned.get("forget") or provider != self.initial.get("provider", provider):
            return given
        return open_sealed(bytes(self.instance.credentials), credentials_aad(self.instance.pk)) | given

    def save(self, commit: bool = True) -> Connector:
        self.instance.credentials = seal(self.cleaned_data["credentials"], credentials_aad(self.instance.pk))
        connector: Connector = super().save(commit)
        return connector


# Declared fields, since the admin asks the class for them.
ConnectorForm = type("ConnectorForm", (ConnectorBaseForm,), {**form_fields(), "__module__": __name__})


@admin.register(Connector)
class ConnectorAdmin(StopActions, Kept):
    form = ConnectorForm
    list_display = (
        "name",
        "key",
        "brand",
        "channel",
        "served_by",
        "concurrency",
        "fares_well",
        flag("is_active", (pgettext_lazy("connector", "active"), "good"), (pgettext_lazy("connector", "off"), "warn")),
    )
    list_filter = ("brand", "channel", "provider", "is_active")
    list_select_related = ("brand", "fares")
    search_fields = ("name", "key", "owner")
    search_help_text = _("A part of the name, key or owner.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    actions = ("stop_sending", "release_sending", "try_out", "end_rest", "ask_templates")
    readonly_fields = ("callback_address", "to_be_carried", "now", "last_day", "turns")
    when_empty = _("A connector is an account with a provider. The sandbox sends nothing and is a good first one.")
    # Shown for the provider that is chosen; without scripts, all are.
    conditional_fields = {setting.name: f"provider == '{setting.provider}'" for setting in all_settings()}

    @admin.display(description=_("provider"), ordering="provider")
    def served_by(self, connector: Connector) -> Any:
        if connector.provider not in providers.provider_keys():
            return badge(connector.provider, "bad")
        return providers.provider_class(connector.provider).label

    def get_fieldsets(self, request: HttpRequest, obj: Connector | None = None) -> Any:
        plain = [setting.name for setting in all_settings() if not setting.secret]
        secrets = (*_SECRETS, "forget") if obj is not None and _SECRETS else _SECRETS
        parts: list[Any] = [
            (None, {"fields": ("name", "key", "brand", "squad", "is_active")}),
            (_("Provider"), {"fields": ("channel", "provider", *plain, *secrets, "concurrency", *self._told_at(obj))}),
            (_("Limits"), {"fields": ("most_per_second", "most_per_day", "price_per_thousand", "spend_per_day")}),
            (_("Who answers for it"), {"fields": ("owner", "documentation_url")}),
        ]
        if obj is not None:
            parts.insert(1, (_("How it fares"), {"fields": ("now", "last_day", "turns")}))
        # Who may only look has no use for fields that show nothing.
        if obj is not None and not self.has_change_permission(request, obj):
            parts[2][1]["fields"] = ("channel", "provider", "config", "concurrency")
        return parts

    @admin.display(description=_("fares"))
    def fares_well(self, connector: Connector) -> SafeString:
        return fares.at_a_glance(connector, clock.utcnow())

    @admin.display(description=_("now"))
    def now(self, connector: Connector) -> SafeString | str:
        return fares.now(connector, clock.utcnow())

    @admin.display(description=_("last 24 hours"))
    def last_day(self, connector: Connector) -> SafeString | str:
        return fares.last_day(connector, clock.utcnow())

    @admin.display(description=_("turns of its breaker"))
    def turns(self, connector: Connector) -> SafeString | str:
        return fares.turns(connector, clock.utcnow())

    @admin.action(description=_("Try it out, sending nothing"), permissions=["change"])
    def try_out(self, request: HttpRequest, queryset: QuerySet[Connector]) -> None:
        for connector in queryset[:_TRIED]:
            try:
                fault = probe(connector)
            except CannotTry:
                words = _("%(name)s cannot be tried out.")
                self.message_user(request, words % {"name": connector.name}, messages.WARNING)
                continue
            if fault:
                words, level = _("%(name)s: %(fault)s"), messages.ERROR
            else:
                words, level = _("%(name)s: its provider answers and knows us."), messages.SUCCESS
            self.message_user(request, words % {"name": connector.name, "fault": fault}, level)

    @admin.action(description=_("End its rest"), permissions=["change"])
    def end_rest(self, request: HttpRequest, queryset: QuerySet[Connector]) -> None:
        for connector in queryset:
            wake(connector.pk, clock.utcnow())
        self.message_user(request, _("They are used again as messages come up."))

    @admin.action(description=_("Ask which templates are approved"), permissions=["change"])
    def ask_templates(self, request: HttpRequest, queryset: QuerySet[Connector]) -> None:
        for connector in queryset[:_TRIED]:
            fault = ask(connector, clock.utcnow())
            said = {"name": connector.name, "fault": fault}
            if fault is None:
                words, level = _("%(name)s has no templates to be approved, or names no account."), messages.WARNING
            elif fault:
                words, level = _("%(name)s: %(fault)s"), messages.ERROR
            else:
                said["count"] = str(Approval.objects.filter(connector=connector).count())
                words, level = _("%(name)s: %(count)s templates were read."), messages.SUCCESS
            self.message_user(request, words % said, level)

    @staticmethod
    def _told_at(connector: Connector | None) -> tuple[str, ...]:
        if connector is None:
            return ()
        told = ("callback_address",) if calls_back(connector.provider) else ()
        return (*told, "to_be_carried") if _facts(connector) else told

    @admin.display(description=_("for your pages"))
    def to_be_carried(self, connector: Connector) -> SafeString:
        return format_html_join("", '<p class="mb-3" data-carried>{}<br><code>{}</code></p>', _facts(connector))

    @admin.display(description=_("address for what it tells"))
    def callback_address(self, connector: Connector) -> SafeString:
        words = _("Give it to the provider where it asks where to tell what became of messages and what is answered.")
        return format_html("<code>{}</code><br>{}", callback_url(connector.pk), words)

    # A report of an error must not quote what was typed.
    @method_decorator(sensitive_post_parameters(*_SECRETS))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().changeform_view(*args, **kwargs)
        return answer


def _facts(connector: Connector) -> Sequence[tuple[Any, str]]:
    if connector.provider not in providers.provider_keys():
        return ()
    return providers.provider_class(connector.provider).facts(connector.config)
