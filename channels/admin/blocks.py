"""Content blocks, their versions and words, and which templates were made of them."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from channels.admin.worded import Texts, Worded
from channels.blocks.looking import faults
from channels.blocks.shelf import BrandShelf
from channels.blocks.source import Part
from channels.blocks.using import NotRenewedError, Use, renew, uses
from channels.images.naming import BrandLibrary, Naming
from channels.models import (
    BlockUse,
    ContentBlock,
    ContentBlockText,
    ContentBlockVersion,
    ImageUse,
    Template,
    TemplateVersion,
)
from customers import audit, clock
from customers.admin.base import AnyAdmin, ReadOnly, Versioned, Versions, a_new_version, may_add
from customers.admin.show import when

if TYPE_CHECKING:
    TextModelForm = forms.ModelForm[ContentBlockText]
    TextFormSet = forms.BaseInlineFormSet[ContentBlockText, ContentBlockVersion, forms.ModelForm[ContentBlockText]]
else:
    TextModelForm = forms.ModelForm
    TextFormSet = forms.BaseInlineFormSet

_PARTS: Final[tuple[Part, ...]] = ("mjml", "html", "text")
# More are told at once by nobody.
_RENEWED: Final = 200


class BlockVersionInline(Versions):
    model = ContentBlockVersion


@admin.register(ContentBlock)
class ContentBlockAdmin(Worded):
    inlines = (BlockVersionInline,)
    change_form_template = "admin/channels/block.html"
    when_empty = _(
        "A block is what many templates say alike, such as a footer. Make one, give it a version with words, and"
        " name it in a template: {% block 'footer' %}."
    )

    def get_fields(self, request: HttpRequest, obj: ContentBlock | None = None) -> Any:
        own = self.fields if obj is None else (*self.fields, "named")
        return (*own, "anew") if obj is not None and may_add(request, ContentBlockVersion) else own

    def get_readonly_fields(self, request: HttpRequest, obj: ContentBlock | None = None) -> Any:
        # Templates name it by brand and key.
        kept = () if obj is None else ("key", "brand")
        return (*super().get_readonly_fields(request, obj), *kept, "named", "anew")

    def get_prepopulated_fields(self, request: HttpRequest, obj: ContentBlock | None = None) -> Any:
        return {} if obj is not None else self.prepopulated_fields

    @admin.display(description=_("in a template"))
    def named(self, block: ContentBlock) -> str:
        return f"{{% block '{block.key}' %}}"

    @admin.display(description=_("words"))
    def anew(self, block: ContentBlock) -> SafeString:
        return a_new_version(ContentBlockVersion, block=block.pk)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        block = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if block is not None and request.user.has_perm("channels.view_template"):
            used = uses(block, Template.objects.visible_to(request.user))
            extra = {"uses": used, "may_renew": bool(self._renewable(request, used))}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.renew_view)
        return [path("<uuid:pk>/renew/", view, name="channels_contentblock_renew"), *super().get_urls()]

    def renew_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """New versions of the templates that hold an older one of the block."""
        block = self.get_object(request, str(pk))
        if block is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if not may_add(request, TemplateVersion):
            raise PermissionDenied
        if request.method == "POST":
            self._renew(request, self._renewable(request, uses(block, Template.objects.changeable_by(request.user))))
        return HttpResponseRedirect(reverse("admin:channels_contentblock_change", args=[block.pk]))

    def _renew(self, request: HttpRequest, templates: list[Template]) -> None:
        done = 0
        for template in templates[:_RENEWED]:
            try:
                version = renew(template)
            except NotRenewedError as error:
                words = gettext("%(template)s stays as it is: %(fault)s")
                self.message_user(request, words % {"template": template, "fault": error}, messages.ERROR)
                continue
            audit.record(request.user, "add", version, None, audit.picture(version), now=clock.utcnow())
            done += 1
        words = ngettext(
            "%(count)s template has a new version. Journeys take it when they are published anew.",
            "%(count)s templates have new versions. Journeys take them when they are published anew.",
            done,
        )
        self.message_user(request, words % {"count": done}, messages.SUCCESS if done else messages.WARNING)

    @staticmethod
    def _renewable(request: HttpRequest, used: list[Use]) -> list[Template]:
        old = [use.version.template for use in used if use.is_old]
        if not old or not may_add(request, TemplateVersion):
            return []
        mine = set(
            Template.objects.changeable_by(request.user)
            .filter(pk__in=[template.pk for template in old])
            .values_list("pk", flat=True)
        )
        return [template for template in old if template.pk in mine]


class BlockTextForm(TextModelForm):
    def __init__(self, *args: Any, of: ContentBlockVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Of which block it is is not known before the form of the version is read.
        self._of = of
        self._images: set[UUID] = set()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if self._of is not None and self._of.block_id:
            block = self._of.block
            shelf = BrandShelf(block.brand_id, block.brand.locale)
            given: dict[Part, str] = {name: cleaned.get(name) or "" for name in _PARTS}
            naming = Naming(BrandLibrary(block.brand_id))
            for name, fault in faults(block, cleaned.get("locale", ""), given, shelf, naming):
                self.add_error(name, fault)
            self._images = naming.used
        return cleaned

    def save(self, commit: bool = True) -> ContentBlockText:
        text: ContentBlockText = super().save(commit)
        if commit:
            ImageUse.objects.bulk_create([ImageUse(block_text=text, image_id=one) for one in sorted(self._images)])
        return text


class BlockTextFormSet(TextFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "of": self.instance}


class BlockTextInline(Texts):
    model = ContentBlockText
    form = BlockTextForm
    formset = BlockTextFormSet

    def words_before(self, request: HttpRequest) -> list[dict[str, Any]]:
        return _words_before(request)


def _words_before(request: HttpRequest) -> list[dict[str, Any]]:
    """The texts of the block that the address names, as they are now; what is sent in has its own."""
    if request.method != "GET":
        return []
    try:
        block = ContentBlock.objects.shown_to(request.user).get(pk=request.GET.get("block", ""))
    except (ContentBlock.DoesNotExist, ValidationError):
        return []
    latest = block.versions.order_by("-number").first()
    texts = latest.texts.order_by("locale").values("locale", "mjml", "html", "text") if latest is not None else ()
    return [dict(text) for text in texts]


@admin.register(ContentBlockVersion)
class ContentBlockVersionAdmin(Versioned):
    """Templates are made of these words and point to them: new words are a new version."""

    parent = "block"
    list_display = ("__str__", "block", when("created_at", _("created")))
    list_filter = ("block__brand", "block__channel")
    list_select_related = ("block",)
    search_fields = ("block__name", "block__key")
    search_help_text = _("A part of the block’s name or key.")
    autocomplete_fields = ("block",)
    inlines = (BlockTextInline,)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """A new version begins as the latest one of its block."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            kwargs["initial"] = _words_before(request)
        return kwargs


@admin.register(ContentBlockText)
class ContentBlockTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale")
    list_filter = ("locale",)
    list_select_related = ("version__block",)
    search_fields = ("version__block__name", "text")
    search_help_text = _("A part of the block’s name or of its words.")


@admin.register(BlockUse)
class BlockUseAdmin(ReadOnly, AnyAdmin):
    """Which words were made of which version of a block."""

    list_display = ("text", "block_version")
    list_select_related = ("text__version__template", "block_version__block")
    search_fields = ("block_version__block__name", "text__version__template__name")
    search_help_text = _("A part of the block’s or of the template’s name.")
