"""Templates, their versions and their words."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels import options, templates
from channels.models import Template, TemplateText, TemplateVersion
from customers.admin.base import AnyAdmin, AnyStacked, AnyTabular, Kept, ReadOnly, Versioned
from customers.admin.fields import Document, DocumentArea
from customers.admin.show import badge, state, when

if TYPE_CHECKING:
    TextModelForm = forms.ModelForm[TemplateText]
    TextFormSet = forms.BaseInlineFormSet[TemplateText, TemplateVersion, forms.ModelForm[TemplateText]]
else:
    TextModelForm = forms.ModelForm
    TextFormSet = forms.BaseInlineFormSet


class TemplateVersionInline(ReadOnly, AnyTabular):
    """The versions so far; each has a page of its own."""

    model = TemplateVersion
    fields = ("number", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(Template)
class TemplateAdmin(Kept):
    list_display = ("name", "key", "brand", "squad", state("channel", {}, _("channel")), "latest")
    list_filter = ("brand", "channel")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    fields = ("name", "key", "brand", "squad", "channel")
    inlines = (TemplateVersionInline,)
    when_empty = _("A template is what is said, in each language. Make one, then give it a version with words.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        rows: QuerySet[Template] = super().get_queryset(request)
        return rows.prefetch_related("versions__texts")

    def get_inlines(self, request: HttpRequest, obj: Template | None) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("latest version"))
    def latest(self, template: Template) -> SafeString:
        newest = max(template.versions.all(), key=lambda version: version.number, default=None)
        if newest is None:
            return badge(_("none"), "warn")
        return badge(f"v{newest.number} · {', '.join(text.locale for text in newest.texts.all())}", "good")


class TemplateTextForm(TextModelForm):
    options = Document(
        label=_("besides the words"),
        required=False,
        help_text=_("As JSON: what the channel knows besides, such as a link, a picture, or a provider’s template."),
        widget=DocumentArea({"rows": 3}),
    )

    def clean_options(self) -> Any:
        return self.cleaned_data.get("options") or {}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for name in ("subject", "html", "text"):
            try:
                templates.check(cleaned.get(name, ""))
            except templates.TemplateError as error:
                self.add_error(name, str(error))
        try:
            for source in options.sources(cleaned.get("options") or {}):
                templates.check(source)
        except templates.TemplateError as error:
            self.add_error("options", str(error))
        return cleaned


class TemplateTextFormSet(TextFormSet):
    def clean(self) -> None:
        """What the channel knows besides is for the template to say, which the form of one text has not at hand."""
        super().clean()
        channel = self.instance.template.channel if self.instance.template_id else ""
        for form in self.forms:
            try:
                options.check(channel, form.cleaned_data.get("options") or {})
            except options.OptionsError as error:
                form.add_error("options", str(error))


class TemplateTextInline(AnyStacked):
    model = TemplateText
    form = TemplateTextForm
    formset = TemplateTextFormSet
    extra = 2
    min_num = 1
    validate_min = True


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
    inlines = (TemplateTextInline,)


@admin.register(TemplateText)
class TemplateTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "subject")
    list_filter = ("locale",)
    list_select_related = ("version__template",)
    search_fields = ("version__template__name", "subject")
    search_help_text = _("A part of the template’s name or of the subject.")
