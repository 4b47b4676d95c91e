"""The plain admin of the act layer: connectors, templates, stops, and the outbox to be read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters

from channels import stops, templates
from channels.models import (
    Connector,
    Message,
    MessageContent,
    RecentSend,
    SendStop,
    Template,
    TemplateText,
    TemplateVersion,
)
from channels.providers import base as providers
from channels.secrets import SecretError, credentials_aad, open_sealed, seal
from customers import clock
from customers.admin.base import (
    AnyAdmin,
    AnyStacked,
    Facts,
    Kept,
    ReadOnly,
    Versioned,
    link,
    table,
)

if TYPE_CHECKING:
    ConnectorModelForm = forms.ModelForm[Connector]
    TextModelForm = forms.ModelForm[TemplateText]
else:
    ConnectorModelForm = TextModelForm = forms.ModelForm


class StopActions(AnyAdmin):
    """Stop what the chosen objects send, and let it go on; a stop has taken effect when the answer comes."""

    @admin.action(description=_("Stop sending"), permissions=["change"])
    def stop_sending(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(stops.stop(scope.pk, request.user.pk, "", clock.utcnow()) for scope in queryset)
        text = ngettext("%(count)s was stopped.", "%(count)s were stopped.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Let sending go on"), permissions=["change"])
    def release_sending(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(stops.release(scope.pk, clock.utcnow()) for scope in queryset)
        text = ngettext("%(count)s was released.", "%(count)s were released.", count)
        self.message_user(request, text % {"count": count})


class WriteOnly(forms.Textarea):
    """Takes a secret and never shows one, not even the one just typed."""

    def format_value(self, value: Any) -> str:
        return ""


class ConnectorForm(ConnectorModelForm):
    provider = forms.ChoiceField(label=_("provider"))
    secret = forms.JSONField(
        label=_("credentials"),
        required=False,
        widget=WriteOnly(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("As JSON. Encrypted and never shown again; empty keeps what is there, {} removes it."),
    )

    class Meta:
        model = Connector
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            self.fields["provider"].choices = [  # type: ignore[attr-defined]  # it is the ChoiceField above
                (key, providers.provider_class(key).label) for key in providers.provider_keys()
            ]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        provider, channel = cleaned.get("provider"), cleaned.get("channel")
        if provider and channel and channel not in providers.provider_class(provider).channels:
            self.add_error("channel", _("The provider does not serve this channel."))
        if provider and not self.errors:
            try:
                providers.build(provider, cleaned.get("config") or {}, self._credentials())
            except (providers.ConfigurationError, SecretError) as error:
                raise ValidationError(_("These settings do not fit: %(reason)s"), params={"reason": error}) from None
        return cleaned

    def _credentials(self) -> dict[str, Any]:
        """Those just given, else those kept."""
        given: dict[str, Any] | None = self.cleaned_data.get("secret")
        if given is None:
            given = open_sealed(bytes(self.instance.credentials), credentials_aad(self.instance.pk))
        return given

    def save(self, commit: bool = True) -> Connector:
        given = self.cleaned_data.get("secret")
        if given is not None:
            self.instance.credentials = seal(given, credentials_aad(self.instance.pk))
        connector: Connector = super().save(commit)
        return connector


@admin.register(Connector)
class ConnectorAdmin(StopActions, Kept):
    form = ConnectorForm
    list_display = ("name", "key", "brand", "channel", "provider", "concurrency", "is_active")
    list_filter = ("brand", "channel", "provider", "is_active")
    list_select_related = ("brand",)
    search_fields = ("name", "key", "owner")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    actions = ("stop_sending", "release_sending")

    def get_fields(self, request: HttpRequest, obj: Connector | None = None) -> Any:
        fields = list(super().get_fields(request, obj))
        # Who may only look has no use for a field that shows nothing.
        if obj is not None and not self.has_change_permission(request, obj):
            fields.remove("secret")
        return fields

    # A report of an error must not quote what was typed.
    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)


@admin.register(Template)
class TemplateAdmin(Kept):
    list_display = ("name", "key", "brand", "channel")
    list_filter = ("brand", "channel")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}


class TemplateTextForm(TextModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for name in ("subject", "html", "text"):
            try:
                templates.check(cleaned.get(name, ""))
            except templates.TemplateError as error:
                self.add_error(name, str(error))
        return cleaned


class TemplateTextInline(AnyStacked):
    model = TemplateText
    form = TemplateTextForm
    extra = 2
    min_num = 1
    validate_min = True


@admin.register(TemplateVersion)
class TemplateVersionAdmin(Versioned):
    """Messages are made from these words and point to them: new words are a new version."""

    parent = "template"
    list_display = ("template", "number", "created_at")
    list_filter = ("template__brand", "template__channel")
    list_select_related = ("template",)
    search_fields = ("template__name", "template__key")
    autocomplete_fields = ("template",)
    inlines = (TemplateTextInline,)


@admin.register(TemplateText)
class TemplateTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "subject")
    list_filter = ("locale",)
    list_select_related = ("version__template",)
    search_fields = ("version__template__name", "subject")


class ContentInline(ReadOnly, AnyStacked):
    model = MessageContent
    can_delete = False


@admin.register(Message)
class MessageAdmin(Facts):
    list_display = (
        "id",
        "channel",
        "state",
        "reason",
        link("profile_id", "customers_profile", _("profile")),
        "origin_kind",
        "origin_id",
        "created_at",
        "settled_at",
    )
    list_filter = ("state", "reason", "channel", "brand", "connector")
    search_fields = (
        "id",
        "origin_id",
        "profile__id",
        "profile__identifier__value",
        "profile__addresses__address__value",
    )
    search_help_text = _("A whole address or identifier, or the id of a message, run or profile.")
    readonly_fields = ("recent_copy",)
    inlines = (ContentInline,)

    @admin.display(description=_("last copy to this address"))
    def recent_copy(self, message: Message) -> SafeString | str:
        if message.address_id is None:
            return ""
        sends = RecentSend.objects.filter(address_id=message.address_id, copy_key=message.copy_key)
        return table((_("sent at"), _("message")), sends.values_list("sent_at", "message_id"))


@admin.register(MessageContent)
class MessageContentAdmin(Facts):
    list_display = (link("message_id", "channels_message", _("message")),)
    search_fields = ("message__id",)


@admin.register(SendStop)
class SendStopAdmin(Kept):
    """Set for a journey, broadcast, connector or brand, and released; never edited."""

    list_display = ("scope_id", "reason", "stopped_by", "stopped_at", "released_at")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    list_select_related = ("stopped_by",)
    search_fields = ("scope_id", "reason")
    fields = ("scope_id", "reason")
    readonly_fields = ("stopped_by", "stopped_at", "released_at")
    actions = ("release",)

    def has_change_permission(self, request: HttpRequest, obj: SendStop | None = None) -> bool:
        return False

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.change_sendstop"))

    def get_fields(self, request: HttpRequest, obj: SendStop | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: SendStop, form: Any, change: bool) -> None:
        stops.stop(obj.scope_id, request.user.pk, obj.reason, clock.utcnow())
        obj.pk = SendStop.objects.get(scope_id=obj.scope_id, released_at=None).pk

    @admin.action(description=_("Let sending go on"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[SendStop]) -> None:
        standing = queryset.filter(released_at=None).values_list("scope_id", flat=True)
        count = sum(stops.release(scope, clock.utcnow()) for scope in list(standing))
        text = ngettext("%(count)s was released.", "%(count)s were released.", count)
        self.message_user(request, text % {"count": count})
