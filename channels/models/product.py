"""What a brand sells, so that messages can show it; and what is viewed together, as counts that hold no person."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consent.models import Purpose
from customers.ids import new_id
from customers.models import Brand
from customers.models.owned import Owned
from customers.partner import InBrand
from customers.reach import ByBrand

# As shops write it: no blanks, no slash, nothing that an address could not hold.
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
key_is_sound = RegexValidator(
    rf"^{KEY.pattern}\Z", _("Up to 100 letters, digits and _ . : - alone, a letter or digit first.")
)


class Product(Owned):
    """`updated_at` is when whoever knows the product said so; what was said earlier and comes later changes nothing."""

    for_partners = InBrand()

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products", verbose_name=_("brand"))
    key = models.CharField(
        _("key"),
        max_length=100,
        validators=[key_is_sound],
        help_text=_("As events name it: the SKU, or the number that the shop has for it."),
    )
    name = models.CharField(_("name"), max_length=300)
    description = models.TextField(_("description"), max_length=5_000, blank=True)
    price = models.BigIntegerField(
        _("price"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In cents, or whatever its currency’s smallest unit is."),
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, help_text=_("ISO 4217, as in BRL."))
    url = models.CharField(_("page"), max_length=2_000, blank=True, help_text=_("It begins with https://."))
    image = models.CharField(_("picture"), max_length=2_000, blank=True, help_text=_("It begins with https://."))
    category = models.CharField(pgettext_lazy("product", "category"), max_length=200, blank=True)
    is_available = models.BooleanField(_("available"), default=True, help_text=_("What is not is not recommended."))
    attributes = models.JSONField(
        _("attributes"), default=dict, blank=True, help_text=_("Whatever else templates show, by name.")
    )
    is_active = models.BooleanField(
        pgettext_lazy("product", "active"), default=True, help_text=_("What is not is shown in no message.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("name", "key")
        constraints = (
            models.UniqueConstraint(fields=("brand", "key"), name="one_product_key_per_brand"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gte=0), name="no_price_below_nothing"),
            models.CheckConstraint(condition=Q(price__isnull=True) | ~Q(currency=""), name="a_price_is_in_a_currency"),
        )
        indexes = (
            # Read by lists of the admin and the API.
            models.Index(fields=("brand", "-updated_at", "-id"), name="product_by_update"),
        )

    def __str__(self) -> str:
        return self.name


class ProductText(Owned):
    """How a product is called in one locale; where there is none for a reader, the product's own words stand."""

    reach = ByBrand("product__brand")

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="texts", verbose_name=_("product"))
    locale = models.CharField(_("locale"), max_length=20)
    name = models.CharField(_("name"), max_length=300)
    description = models.TextField(_("description"), max_length=5_000, blank=True)

    class Meta:
        verbose_name = _("words of a product")
        verbose_name_plural = _("words of products")
        constraints = (models.UniqueConstraint(fields=("product", "locale"), name="one_product_text_per_locale"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.locale})"


class Recommending(Owned):
    """How a brand shows people products by what they looked at. Without a purpose nobody is shown any so."""

    for_managers = True

    brand = models.OneToOneField(
        Brand, primary_key=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("brand")
    )
    purpose = models.ForeignKey(
        Purpose,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("purpose"),
        help_text=_(
            "Who may be shown products by what they looked at: whoever this purpose is allowed for. For all others the "
            "lists are empty."
        ),
    )
    counted_at = models.DateTimeField(_("counted at"), null=True, editable=False)
    # Days before it are counted for good.
    counted_until = models.DateField(null=True, editable=False)

    class Meta:
        verbose_name = _("recommendations of a brand")
        verbose_name_plural = _("recommendations")

    def __str__(self) -> str:
        return str(self.brand)

    def clean(self) -> None:
        super().clean()
        if self.brand_id and self.purpose_id and self.purpose.brand_id != self.brand_id:
            raise ValidationError({"purpose": _("This purpose is of another brand.")}, code="purpose_of_other_brand")
        if self.purpose_id and self.purpose.kind == Purpose.Kind.LEGAL:
            text = _("What is owed by law is allowed for everybody, and so says nothing of what they agreed to.")
            raise ValidationError({"purpose": text}, code="legal_purpose")


class CoView(Owned):
    """How many people looked at both products on a day or the one within a week before the other; of a product with
    itself, how many looked at it. It holds no person."""

    reach = ByBrand("brand")

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("brand")
    )
    day = models.DateField(_("day"))
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("product")
    )
    other = models.ForeignKey(
        Product, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("viewed as well")
    )
    people = models.IntegerField(_("people"))

    class Meta:
        verbose_name = _("products viewed together")
        verbose_name_plural = _("products viewed together")
        constraints = (
            models.UniqueConstraint(fields=("brand", "day", "product", "other"), name="one_co_view_count_a_day"),
        )
        indexes = (
            models.Index(fields=("product",), name="co_view_of"),
            models.Index(fields=("other",), name="co_view_with"),
        )

    def __str__(self) -> str:
        return f"{self.product_id} {self.other_id} {self.day}"


class AlsoViewed(Owned):
    """What is recommended with a product, the best first; without a product, what is viewed most in the brand."""

    reach = ByBrand("brand")

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("brand")
    )
    product = models.ForeignKey(
        Product,
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="recommended",
        verbose_name=_("product"),
    )
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", verbose_name=_("recommended"))
    place = models.SmallIntegerField(_("place"))
    weight = models.FloatField(_("weight"))

    class Meta:
        verbose_name = _("recommended product")
        verbose_name_plural = _("recommended products")
        constraints = (
            models.UniqueConstraint(
                fields=("brand", "product", "place"), nulls_distinct=False, name="one_recommendation_a_place"
            ),
        )
        indexes = (models.Index(fields=("product", "place"), name="recommended_with"),)

    def __str__(self) -> str:
        return f"{self.product_id} {self.place}"
