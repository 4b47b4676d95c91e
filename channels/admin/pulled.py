"""Pulled content: the hosts of a brand, what versions of templates pull, and trying it out."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from channels.admin.at_hand import latest_version
from channels.admin.settings import Secret
from channels.models import PulledCopy, PulledHost, PulledSource, TemplateVersion
from channels.pulled.address import AddressError, check, host_of
from channels.pulled.hosts import place
from channels.pulled.trying import try_out
from channels.secrets import SecretError, open_sealed, seal
from customers import clock
from customers.admin.base import AnyAdmin, AnyStacked, Facts, ReadOnly, may_add
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.admin.show import badge, document, when

if TYPE_CHECKING:
    HostModelForm = forms.ModelForm[PulledHost]
    SourceModelForm = forms.ModelForm[PulledSource]
    SourceFormSet = forms.BaseInlineFormSet[PulledSource, TemplateVersion, forms.ModelForm[PulledSource]]
else:
    HostModelForm = forms.ModelForm
    SourceModelForm = forms.ModelForm
    SourceFormSet = forms.BaseInlineFormSet

_LONGEST: Final = 20_000
_EXAMPLE: Final = '{"customer": {}}'


class HostForm(HostModelForm):
    token = forms.CharField(
        label=_("bearer token"),
        required=False,
        strip=False,
        max_length=2_000,
        widget=Secret(),
        help_text=_("Goes to this host alone, with each question. Encrypted and never shown again; empty keeps it."),
    )
    forget = forms.BooleanField(label=_("remove the token"), required=False)

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"] or ""
        if token and (not token.isascii() or not token.isprintable() or " " in token):
            raise forms.ValidationError(_("A token has no spaces, line breaks or letters beyond ASCII."))
        return token

    def save(self, commit: bool = True) -> PulledHost:
        token, host = self.cleaned_data.get("token"), self.instance
        if token or self.cleaned_data.get("forget"):
            host.secret = seal({"token": token} if token else {}, place(host))
        saved: PulledHost = super().save(commit)
        return saved


@admin.register(PulledHost)
class PulledHostAdmin(AnyAdmin):
    form = HostForm
    list_display = ("host", "brand", "fares", "detail")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("host",)
    search_help_text = _("A part of the host.")
    autocomplete_fields = ("brand",)
    when_empty = _("Templates pull content from hosts on this list alone. Whoever manages the brand puts them there.")

    def get_fields(self, request: HttpRequest, obj: PulledHost | None = None) -> Any:
        own = ("host", "brand", "token")
        return own if obj is None else (*own, "forget", "has_token", "fares", "failures", "rests_until", "detail")

    def get_readonly_fields(self, request: HttpRequest, obj: PulledHost | None = None) -> Any:
        # The token was given for this host and no other.
        return () if obj is None else ("host", "brand", "has_token", "fares", "failures", "rests_until", "detail")

    @admin.display(description=_("token"))
    def has_token(self, host: PulledHost) -> str:
        try:
            held = open_sealed(bytes(host.secret), place(host))
        except SecretError:
            return gettext("It cannot be read: give it anew.")
        return gettext("kept") if held.get("token") else gettext("none")

    @admin.display(description=_("fares"))
    def fares(self, host: PulledHost) -> SafeString:
        if host.rests_until is not None and host.rests_until > clock.utcnow():
            return badge(pgettext_lazy("host", "rests"), "bad")
        return badge(_("in trouble"), "warn") if host.failures else badge(_("fine"), "good")

    # A report of an error must not quote what was typed.
    @method_decorator(sensitive_post_parameters("token"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().changeform_view(*args, **kwargs)
        return answer


class PulledSourceForm(SourceModelForm):
    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            check(url)
        except AddressError as error:
            raise forms.ValidationError(str(error)) from None
        return url

    def clean_fallback(self) -> Any:
        found = self.cleaned_data.get("fallback")
        return {} if found is None else found


class PulledSourceFormSet(SourceFormSet):
    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        """What is sent without a word of sources has none."""
        prefix = kwargs.get("prefix") or self.get_default_prefix()
        if data is not None and f"{prefix}-TOTAL_FORMS" not in data:
            data = data.copy()
            data.update({f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"})
        super().__init__(data, *args, **kwargs)

    def clean(self) -> None:
        """Whose list counts is for the template to say, which the form of one has not at hand."""
        super().clean()
        version = self.instance
        if not version.template_id:
            return
        listed = set(PulledHost.objects.filter(brand=version.template.brand_id).values_list("host", flat=True))
        for form in self.forms:
            url = form.cleaned_data.get("url")
            if url and host_of(url) not in listed:
                form.add_error("url", _("The host is not on the list of hosts for content of this brand."))


class PulledSourceInline(AnyStacked):
    model = PulledSource
    form = PulledSourceForm
    formset = PulledSourceFormSet
    extra = 0

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(sources_before(request)) if obj is None else 0


def drafted(formset: PulledSourceFormSet) -> list[PulledSource]:
    """What a valid form says is pulled, saved nowhere."""
    kept = [form for form in formset.forms if form.has_changed() and form not in formset.deleted_forms]
    return sorted((form.instance for form in kept), key=lambda source: source.name)


def sources_before(request: HttpRequest) -> list[dict[str, Any]]:
    """What the version before pulls, for the next one to begin with."""
    version = latest_version(request)
    if version is None:
        return []
    names = ("name", "url", "timeout_ms", "cache_seconds", "missing", "fallback")
    return [dict(one) for one in PulledSource.objects.filter(version=version).order_by("name").values(*names)]


def try_page(pages: Any, request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """What each address answers now, for values that somebody gives."""
    if not may_add(request, TemplateVersion):
        raise PermissionDenied
    given, fault, tried = request.POST.get("values", _EXAMPLE)[:_LONGEST], "", []
    if request.method == "POST":
        try:
            context = msgspec.json.decode(given.encode(), type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            fault = gettext("These values are no JSON object.")
        else:
            tried = [(one, document(one.value)) for one in try_out(version, context, clock.utcnow())]
    return drawn(
        pages,
        request,
        version,
        "admin/channels/pulled_try.html",
        _("What it pulls"),
        sources=PulledSource.objects.filter(version=version).order_by("name"),
        given=given,
        fault=fault,
        tried=tried,
    )


@admin.register(PulledSource)
class PulledSourceAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("name", "version", "url", "missing")
    list_filter = ("version__template__brand",)
    list_select_related = ("version__template",)
    search_fields = ("name", "url", "version__template__name")
    search_help_text = _("A part of the name, of the address or of the template’s name.")


@admin.register(PulledCopy)
class PulledCopyAdmin(Facts):
    """What was answered lately."""

    list_display = ("key", "is_personal", when("fetched_at", _("fetched")), when("expires_at", _("good until")))
    search_fields = ("key",)
    ordering = ("-expires_at",)


add_page(TemplateVersion, ExtraPage("pulled", _("What it pulls"), try_page))
