"""Templates, their versions and their words."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels import checks, options, templates, writing
from channels.admin import approvals, previews
from channels.admin.at_hand import at_hand, latest_version
from channels.admin.preview_form import Looked
from channels.admin.pulled import PulledSourceInline, drafted, sources_before
from channels.admin.worded import Texts, Worded
from channels.blocks.shelf import BrandShelf
from channels.checks.approved import approved
from channels.images.naming import BrandLibrary
from channels.models import Template, TemplateText, TemplateVersion
from channels.previews.make import texts_of
from customers.admin.base import AnyAdmin, ReadOnly, Versioned, Versions, a_new_version, may_add
from customers.admin.fields import Document, DocumentArea
from customers.admin.show import when
from customers.ids import NIL
from customers.models.address import Channel

if TYPE_CHECKING:
    TextModelForm = forms.ModelForm[TemplateText]
    TextFormSet = forms.BaseInlineFormSet[TemplateText, TemplateVersion, forms.ModelForm[TemplateText]]
else:
    TextModelForm = forms.ModelForm
    TextFormSet = forms.BaseInlineFormSet


_WORDS: Final = ("locale", "subject", "mjml", "html", "text")


class TemplateVersionInline(Versions):
    model = TemplateVersion


@admin.register(Template)
class TemplateAdmin(Worded):
    inlines = (TemplateVersionInline,)
    when_empty = _("A template is what is said, in each language. Make one, then give it a version with words.")

    def get_fields(self, request: HttpRequest, obj: Template | None = None) -> Any:
        shown = (*self.fields, "approved") if obj is not None and obj.channel == Channel.WHATSAPP else self.fields
        return (*shown, "anew") if obj is not None and may_add(request, TemplateVersion) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "approved", "anew")

    @admin.display(description=_("at the provider"))
    def approved(self, template: Template) -> SafeString | str:
        return approvals.standing(template)

    @admin.display(description=_("words"))
    def anew(self, template: Template) -> SafeString:
        return a_new_version(TemplateVersion, template=template.pk)


class TemplateTextForm(TextModelForm):
    options = Document(
        label=_("besides the words"),
        required=False,
        help_text=_("As JSON: what the channel knows besides, such as a link, a picture, or a provider’s template."),
        widget=DocumentArea({"rows": 3}),
    )

    def clean_options(self) -> Any:
        return self.cleaned_data.get("options") or {}

    def __init__(self, *args: Any, of: TemplateVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Of which template it is is not known before the form of the version is read.
        self._of = of
        self._made: writing.Made | None = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        written = writing.Written(
            **{name: cleaned.get(name) or "" for name in _WORDS}, options=cleaned.get("options") or {}
        )
        template = _template(self._of)
        brand_id, channel = (template.brand_id, template.channel) if template else (NIL, "")
        made = self._made = writing.make(written, _shelf(template), BrandLibrary(brand_id), channel)
        for name, fault in made.faults:
            self.add_error(name, fault)
        if not made.faults:
            cleaned |= {name: getattr(made, name) for name in ("subject", "html", "text", "options")}
            self.instance.authored = made.authored
        return cleaned

    def save(self, commit: bool = True) -> TemplateText:
        text: TemplateText = super().save(commit)
        if commit and self._made is not None:
            writing.record(text, self._made)
        return text


def _template(version: TemplateVersion | None) -> Template | None:
    return version.template if version is not None and version.template_id else None


def _shelf(template: Template | None) -> BrandShelf:
    """Of nobody, while it is not known whose template it is: then that is what is wrong."""
    return BrandShelf(template.brand_id, template.brand.locale) if template else BrandShelf(NIL, "")


class TemplateTextFormSet(TextFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "of": self.instance}

    def clean(self) -> None:
        """What the channel knows besides is for the template to say, which the form of one text has not at hand."""
        super().clean()
        template = _template(self.instance)
        channel = template.channel if template else ""
        for form in self.forms:
            if channel != Channel.EMAIL and form.cleaned_data.get("html"):
                form.add_error("html", _("Only an e-mail has a page."))
            try:
                options.check(channel, form.cleaned_data.get("options") or {})
            except options.OptionsError as error:
                form.add_error("options", str(error))


class TemplateTextInline(Texts):
    model = TemplateText
    form = TemplateTextForm
    formset = TemplateTextFormSet

    def words_before(self, request: HttpRequest) -> list[dict[str, Any]]:
        return _words_before(request)


def _words_before(request: HttpRequest) -> list[dict[str, Any]]:
    """The texts of the template that the address names, as they are now; what is sent in has its own."""
    latest = latest_version(request)
    texts = latest.texts.order_by("locale") if latest is not None else ()
    return [text.as_written() for text in texts]


@admin.register(TemplateVersion)
class TemplateVersionAdmin(Versioned):
    """Messages are made from these words and point to them: new words are a new version."""

    parent = "template"
    list_display = ("__str__", "template", when("created_at", _("created")))
    list_filter = ("template__brand", "template__channel")
    list_select_related = ("template",)
    search_fields = ("template__name", "template__key")
    search_help_text = _("A part of the template’s name or key.")
    autocomplete_fields = ("template",)
    inlines = (TemplateTextInline, PulledSourceInline)
    change_form_template = "admin/channels/words.html"
    add_form_template = "admin/channels/words.html"

    class Media:
        css = {"all": ("trilha/images.css",)}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        extra = {"at_hand": at_hand(request)}
        return super().add_view(request, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> Any:
        draft = path("draft/", self.admin_site.admin_view(self.draft), name="channels_templateversion_draft")
        return [draft, *super().get_urls()]

    def draft(self, request: HttpRequest) -> HttpResponse:
        """The words of the form as somebody would see them; faults in them are told, and nothing is saved."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        form = self.get_form(request)(request.POST)
        if not form.is_valid():
            return self._faulty(request, [form.errors])
        version = form.save(commit=False)
        (formset, pulling), _inlines = self._create_formsets(request, version, change=False)  # type: ignore[attr-defined]  # Django's own
        if not all([formset.is_valid(), pulling.is_valid()]):
            told = [*formset.errors, *pulling.errors]
            return self._faulty(request, [*told, {"": formset.non_form_errors()}])
        texts = [
            templates.Text(one["locale"], one["subject"], one["html"], one["text"], one.get("options") or {})
            for one in formset.cleaned_data
            if one and not one.get("DELETE")
        ]
        template = version.template
        return previews.draft(self, request, Looked(template.channel, template.brand, texts, drafted(pulling)))

    def _faulty(self, request: HttpRequest, errors: list[Any]) -> HttpResponse:
        told = [(name, said) for one in errors for name, faults in one.items() for said in faults]
        frame = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Preview of a draft"),
            "has_view_permission": True,
            "faults": told,
        }
        return TemplateResponse(request, "admin/channels/preview_faults.html", frame, status=422)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What the provider would not let out may be saved: it may be approved before it is sent."""
        super().save_related(request, form, formsets, change)
        version = form.instance
        told = checks.Template(version.template.channel, version.template.brand, texts_of(version.pk))
        for finding in approved(told):
            self.message_user(request, finding.text, messages.WARNING)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """A new version begins as the latest one of its template."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            is_words = isinstance(inline, TemplateTextInline)
            kwargs["initial"] = _words_before(request) if is_words else sources_before(request)
        return kwargs


@admin.register(TemplateText)
class TemplateTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "subject")
    list_filter = ("locale",)
    list_select_related = ("version__template",)
    search_fields = ("version__template__name", "subject")
    search_help_text = _("A part of the template’s name or of the subject.")
