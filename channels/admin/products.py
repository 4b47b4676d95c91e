"""Products on the staff pages: found, told by hand, and how they are looked at; and whom brands recommend any to."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import format_currency
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from msgspec import UNSET

from channels.catalogue import coviews, said
from channels.liquid.reader import speech
from channels.models import AlsoViewed, CoView, Product, ProductText, Recommending
from customers import clock
from customers.accept.refusal import Refused
from customers.admin.base import AnyAdmin, AnyStacked, BoundedPaginator, Facts, Kept, ReadOnly, table
from customers.admin.show import badge, flag, when
from customers.imports.words import words_of
from customers.money import in_major_units

if TYPE_CHECKING:
    ProductModelForm = forms.ModelForm[Product]
else:
    ProductModelForm = forms.ModelForm

_SPANS: Final = (7, 30, 60)
_SHOWN: Final = 10
# The form's field for each that is told of a product.
_FIELDS: Final = {"available": "is_available", "active": "is_active"}
_TOLD: Final = ("key", "name", "description", "price", "currency", "url", "image", "category", "attributes")


class ProductForm(ProductModelForm):
    """What a partner could not tell cannot be told by hand either."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        told = {name: cleaned[name] for name in _TOLD if cleaned.get(name) not in (None, "")}
        told.setdefault("key", self.instance.key or "x")
        try:
            read = said.read(told, clock.utcnow())
            if read.price not in (None, UNSET) and not read.currency:
                raise Refused("price_without_currency", "", "", "/currency")
        except Refused as error:
            name = error.refusal.pointer.split("/")[1] if error.refusal.pointer else ""
            text = " ".join(words_of(error.refusal.code, error.refusal.message, error.refusal.hint))
            self.add_error(_FIELDS.get(name, name) if name in self.fields else None, ValidationError(text))
        return cleaned


class WordsInline(AnyStacked):
    """How it is called where people read another language."""

    model = ProductText
    extra = 0


@admin.register(Product)
class ProductAdmin(Kept):
    form = ProductForm
    list_display = (
        "name",
        "key",
        "brand",
        "category",
        "costs",
        "in_stock",
        flag("is_active", (pgettext_lazy("product", "active"), "good"), (pgettext_lazy("product", "out"), "")),
        when("updated_at", _("updated")),
    )
    list_filter = ("brand", "is_active", "is_available")
    list_select_related = ("brand",)
    search_fields = ("name", "key", "category")
    search_help_text = _("A part of the name, key or category.")
    autocomplete_fields = ("brand",)
    inlines = (WordsInline,)
    paginator = BoundedPaginator
    show_full_result_count = False
    list_before_template = "admin/channels/products_before.html"
    readonly_fields = ("updated_at", "page", "picture", "looked_at", "recommended_with")
    when_empty = _(
        "Nothing is told of yet. Import a file, or have your shop tell its products by the API or a webhook."
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        # Events and partners name it by brand and key.
        return self.readonly_fields if obj is None else ("key", "brand", *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        own = ("name", "key", "brand", "description", ("price", "currency"), "category", "url", "image", "attributes")
        first = (None, {"fields": (*own, ("is_available", "is_active"))})
        if obj is None:
            return (first,)
        seen = ("updated_at", "page", "picture", "looked_at", "recommended_with")
        return first, (_("How it is looked at"), {"fields": seen})

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        obj.updated_at = clock.utcnow()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("price"), ordering="price")
    def costs(self, product: Product) -> str:
        if product.price is None:
            return ""
        amount, language = in_major_units(product.price, product.currency), speech(get_language() or "en")
        return format_currency(amount, product.currency, locale=language, decimal_quantization=False)

    @admin.display(description=_("available"), ordering="is_available")
    def in_stock(self, product: Product) -> SafeString:
        return badge(_("available"), "good") if product.is_available else badge(_("not available"), "warn")

    @admin.display(description=_("page"))
    def page(self, product: Product) -> SafeString | str:
        return _leading_to(product.url)

    @admin.display(description=_("picture"))
    def picture(self, product: Product) -> SafeString | str:
        """A link: pages of the staff load nothing from elsewhere."""
        return _leading_to(product.image)

    @admin.display(description=_("people who viewed it"))
    def looked_at(self, product: Product) -> SafeString | str:
        today = clock.utcnow().date()
        own = CoView.objects.filter(product=product, other=product)
        counts = [
            own.filter(day__gt=today - timedelta(days=days)).aggregate(people=Sum("people"))["people"] or 0
            for days in _SPANS
        ]
        return table((_("last 7 days"), _("last 30 days"), _("last 60 days")), [counts]) if any(counts) else "–"

    @admin.display(description=_("recommended with it"))
    def recommended_with(self, product: Product) -> SafeString | str:
        others = AlsoViewed.objects.filter(product=product).select_related("other").order_by("place")[:_SHOWN]
        rows = [(one.place, _page_of(one.other), number_format(one.weight, 1)) for one in others]
        return table((_("place"), _("product"), _("weight")), rows) or "–"


def _leading_to(address: str) -> SafeString | str:
    if not address:
        return "–"
    return format_html('<a class="t-link" href="{}" rel="noreferrer noopener" target="_blank">{}</a>', address, address)


def _page_of(product: Product) -> SafeString:
    address = reverse("admin:channels_product_change", args=[product.pk])
    return format_html('<a class="t-link" href="{}">{}</a>', address, product)


@admin.register(ProductText)
class ProductTextAdmin(ReadOnly, AnyAdmin):
    """Written with its product; here to be found."""

    list_display = ("product", "locale", "name")
    list_filter = ("locale", "product__brand")
    list_select_related = ("product",)
    search_fields = ("product__key", "name")
    search_help_text = _("A part of the product’s key or of the name.")


@admin.register(Recommending)
class RecommendingAdmin(AnyAdmin):
    """Deleting it switches recommendations off."""

    list_display = ("brand", "purpose", when("counted_at", _("counted at")))
    list_select_related = ("brand", "purpose")
    autocomplete_fields = ("brand", "purpose")
    readonly_fields = ("counted_at",)
    actions = ("count_anew",)
    when_empty = _("No brand shows people products by what they looked at. Name the purpose that allows it.")

    def get_readonly_fields(self, request: HttpRequest, obj: Recommending | None = None) -> Any:
        return self.readonly_fields if obj is None else ("brand", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Recommending, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "purpose" in form.changed_data:
            # Whom it is allowed for is another question now, of the days counted for good too.
            coviews.count_anew(obj.pk)

    def delete_model(self, request: HttpRequest, obj: Recommending) -> None:
        brand_id = obj.brand_id
        super().delete_model(request, obj)
        coviews.forget(brand_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Recommending]) -> None:
        brand_ids = list(queryset.values_list("brand_id", flat=True))
        super().delete_queryset(request, queryset)
        for brand_id in brand_ids:
            coviews.forget(brand_id)

    @admin.action(description=_("Count all days anew"), permissions=["change"])
    def count_anew(self, request: HttpRequest, rows: QuerySet[Recommending]) -> None:
        for row in rows:
            coviews.count_anew(row.pk)
        self.message_user(request, _("They are counted anew within the hour."), messages.SUCCESS)


@admin.register(AlsoViewed)
class AlsoViewedAdmin(ReadOnly, AnyAdmin):
    list_display = (
        "other_name",
        "product_name",
        "place",
        "weight",
        "brand",
    )
    list_filter = ("brand",)
    list_select_related = ("brand", "product", "other")
    search_fields = ("product__key",)
    search_help_text = _("A part of the key of the product that it is recommended with.")
    ordering = ("brand", "product", "place")
    paginator = BoundedPaginator
    show_full_result_count = False

    @admin.display(description=_("recommended"))
    def other_name(self, row: AlsoViewed) -> str:
        return row.other.name

    @admin.display(description=_("with"))
    def product_name(self, row: AlsoViewed) -> str:
        return row.product.name if row.product else str(_("whoever viewed nothing"))


@admin.register(CoView)
class CoViewAdmin(Facts):
    list_display = ("day", "product_key", "other_key", "people", "brand")
    list_filter = ("brand",)
    list_select_related = ("brand", "product", "other")
    search_fields = ("product__key", "other__key")
    ordering = ("-day", "-people", "pk")  # type: ignore[assignment]  # Facts has one
    when_empty = _("Nothing is counted yet. It is counted every hour, for brands that name a purpose.")

    @admin.display(description=_("product"))
    def product_key(self, row: CoView) -> str:
        return row.product.key

    @admin.display(description=_("viewed as well"))
    def other_key(self, row: CoView) -> str:
        return row.other.key
