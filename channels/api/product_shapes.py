"""What the endpoints of products take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from customers.api.strict import Body


class ProductWordsBody(Body):
    name = serializers.CharField(max_length=300)
    description = serializers.CharField(max_length=5_000, required=False)

    class Meta:
        ref_name = "ProductWordsSaid"


class ProductWordsShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)

    class Meta:
        ref_name = "ProductWords"


class ProductBody(Body):
    """What is said of a product: what is left out stays as it was, null takes it away. A new one needs its name."""

    key = serializers.CharField(max_length=100, help_text="As events name it, such as the SKU.")
    name = serializers.CharField(max_length=300, required=False)
    description = serializers.CharField(max_length=5_000, required=False, allow_null=True)
    price = serializers.IntegerField(min_value=0, required=False, allow_null=True, help_text="In minor units: cents.")
    currency = serializers.CharField(max_length=3, required=False, allow_null=True, help_text="ISO 4217.")
    url = serializers.CharField(max_length=2_000, required=False, allow_null=True)
    image = serializers.CharField(max_length=2_000, required=False, allow_null=True)
    category = serializers.CharField(max_length=200, required=False, allow_null=True)
    available = serializers.BooleanField(required=False, help_text="What is not is not recommended.")
    active = serializers.BooleanField(required=False, help_text="What is not is shown in no message.")
    attributes = serializers.DictField(required=False, allow_null=True, help_text="At most 50, 8,192 bytes as JSON.")
    texts = serializers.DictField(
        child=ProductWordsBody(allow_null=True), required=False, help_text="By locale; null takes one away."
    )
    updated_at = serializers.DateTimeField(
        required=False, help_text="When it came to be so. What is older than what is known changes nothing."
    )

    class Meta:
        ref_name = "ProductSaid"


class ProductsBody(Body):
    """Up to 1,000 products; each is taken or refused by itself."""

    products = serializers.ListField(min_length=1)

    class Meta:
        ref_name = "ProductsSaid"


class ProductsSaidShape(Body):
    """The description alone: the items are read one by one (channels.catalogue.said)."""

    products = ProductBody(many=True)

    class Meta:
        ref_name = "ProductsSaidBatch"


class RefusedProductShape(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Of the product in the list, from 0.")
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    pointer = serializers.CharField()

    class Meta:
        ref_name = "RefusedProduct"


class ProductsTakenShape(serializers.Serializer[Any]):
    """How many were new, changed, as they were, or told of by what is older; and those that were refused."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    stale = serializers.IntegerField()
    refused = RefusedProductShape(many=True)

    class Meta:
        ref_name = "ProductsTaken"


class ProductShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    price = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    image = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    available = serializers.BooleanField()
    active = serializers.BooleanField()
    attributes = serializers.DictField()
    texts = serializers.DictField(child=ProductWordsShape())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    class Meta:
        ref_name = "Product"


class ProductsShape(serializers.Serializer[Any]):
    items = ProductShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Products"
