"""The image library: handed in, looked through, shown with what one writes to show it, and taken out where unused."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from channels.images import library
from channels.images.addresses import PATH, address_of
from channels.images.looking import MAX_BYTES, ImageError, Looked, look
from channels.models import Image, ImageAlt, ImageUse, StoredFile
from customers import clock
from customers.admin.base import AnyAdmin, AnyTabular, ReadOnly, page_of
from customers.admin.show import badge, when

if TYPE_CHECKING:
    ImageModelForm = forms.ModelForm[Image]
else:
    ImageModelForm = forms.ModelForm


class ImageForm(ImageModelForm):
    upload = forms.FileField(
        label=_("file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/jpeg,image/png,image/gif,image/webp"}),
        help_text=_(
            "JPEG, PNG, GIF or WebP of at most 2 MB. Only its pixels are kept: where and by what it was taken is left"
            " out."
        ),
    )

    looked: Looked | None = None

    def clean_upload(self) -> Any:
        upload = self.cleaned_data["upload"]
        try:
            self.looked = look(upload.read(MAX_BYTES + 1))
        except ImageError as error:
            raise forms.ValidationError(str(error)) from None
        return upload


class IsUsed(admin.SimpleListFilter):
    title = _("use")
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("yes", _("shown somewhere")), ("no", _("shown nowhere")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        if self.value() not in ("yes", "no"):
            return queryset
        used = Exists(ImageUse.objects.filter(image=OuterRef("pk")))
        return queryset.filter(used if self.value() == "yes" else ~used)


class AltInline(AnyTabular):
    model = ImageAlt
    extra = 2


@admin.register(Image)
class ImageAdmin(AnyAdmin):
    form = ImageForm
    list_display = ("thumbnail", "name", "key", "brand", "measures", "use", when("uploaded_at", _("handed in")))
    list_display_links = ("name",)
    list_filter = ("brand", "kind", IsUsed)
    list_select_related = ("brand",)
    search_fields = ("name", "key", "file", "alts__text")
    search_help_text = _("A part of the name, of the key, of the file or of what it shows.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    inlines = (AltInline,)
    when_empty = _("Images that messages show are kept here. Hand one in, then name it in a template by its key.")

    class Media:
        css = {"all": ("trilha/images.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        rows: QuerySet[Image] = super().get_queryset(request)
        return rows.annotate(is_used=Exists(ImageUse.objects.filter(image=OuterRef("pk"))))

    def get_fieldsets(self, request: HttpRequest, obj: Image | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("upload", "name", "key", "brand", "squad")}),)
        return (
            (None, {"fields": ("shown", "name", "key", "brand", "squad")}),
            (_("In a template"), {"fields": ("snippets", "address")}),
            (_("What it is"), {"fields": ("measures", "digest", "uploaded_at", "uploaded_by", "shown_in")}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # What is there is never changed: another image is another one.
        return super().get_form(request, obj, change, **(kwargs if obj is None else {"form": ImageModelForm, **kwargs}))

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        told = ("shown", "snippets", "address", "measures", "digest", "uploaded_at", "uploaded_by", "shown_in")
        # Words name it by brand and key.
        return () if obj is None else ("key", "brand", *told)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        return {} if obj is not None else self.prepopulated_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One at a time, and only where no words show it."""
        may = super().has_delete_permission(request, obj)
        return may and obj is not None and not ImageUse.objects.filter(image=obj).exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What is said of it goes with it: nobody takes that out by itself."""
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, missing - {str(ImageAlt._meta.verbose_name)}, protected

    def save_model(self, request: HttpRequest, obj: Image, form: Any, change: bool) -> None:
        if not change:
            library.take_in(obj, form.looked, by_id=request.user.pk, now=clock.utcnow())
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        library.take_out(obj)

    @admin.display(description=_("image"))
    def thumbnail(self, image: Image) -> SafeString:
        picture = '<img class="t-thumb" src="{}{}" alt="" loading="lazy" width="{}" height="{}">'
        return format_html(picture, PATH, image.file, image.width, image.height)

    @admin.display(description=_("image"))
    def shown(self, image: Image) -> SafeString:
        picture = '<img class="t-picture" src="{}{}" alt="{}" width="{}" height="{}">'
        return format_html(picture, PATH, image.file, image.name, image.width, image.height)

    @admin.display(description=_("measures"))
    def measures(self, image: Image) -> str:
        return f"{image.width} × {image.height}, {image.get_kind_display()}, {filesizeformat(image.size)}"

    @admin.display(description=_("use"))
    def use(self, image: Image) -> SafeString:
        is_used = getattr(image, "is_used", False)
        return badge(_("shown somewhere"), "good") if is_used else badge(_("shown nowhere"), "")

    @admin.display(description=_("to be copied"))
    def snippets(self, image: Image) -> SafeString:
        return render_to_string("admin/channels/image_snippets.html", {"image": image, "alts": _alts(image)})

    @admin.display(description=_("address"))
    def address(self, image: Image) -> SafeString:
        return format_html("<code>{}</code>", address_of(image.file))

    @admin.display(description=_("shown in"))
    def shown_in(self, image: Image) -> SafeString | str:
        uses = image.uses.select_related("text__version__template", "block_text__version__block").order_by("-pk")[:50]
        versions = {
            one.text.version if one.text is not None else one.block_text.version: None  # type: ignore[union-attr]  # one of both
            for one in uses
        }
        links = ((page_of(version), version) for version in versions)
        return format_html_join(", ", '<a class="t-link" href="{}">{}</a>', links) or "–"


def _alts(image: Image) -> list[tuple[str, str]]:
    return list(image.alts.order_by("locale").values_list("locale", "text")) or [("", image.name)]


@admin.register(ImageAlt)
class ImageAltAdmin(ReadOnly, AnyAdmin):
    """Written with its image; here to be found."""

    list_display = ("image", "locale", "text")
    list_filter = ("locale",)
    list_select_related = ("image",)
    search_fields = ("image__name", "text")
    search_help_text = _("A part of the image’s name or of the text.")


@admin.register(ImageUse)
class ImageUseAdmin(ReadOnly, AnyAdmin):
    """Which words show which image."""

    list_display = ("image", "text", "block_text")
    list_select_related = ("image", "text__version__template", "block_text__version__block")
    search_fields = ("image__name", "image__key")
    search_help_text = _("A part of the image’s name or key.")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnly, AnyAdmin):
    """The files that lie in the database."""

    list_display = ("name",)
    fields = ("name",)
    search_fields = ("name",)
    search_help_text = _("A part of the name.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        rows: QuerySet[StoredFile] = super().get_queryset(request)
        return rows.defer("data")
