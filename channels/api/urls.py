"""The partner API of the act layer."""

from django.urls import path

from channels.api.webhook_deliveries import DeliveryReplay, WebhookDeliveries, WebhookReplay
from channels.api.webhooks import WebhookPage, WebhookRemove, Webhooks, WebhookSecret, WebhookTest

urlpatterns = [
    path("webhooks", Webhooks.as_view(), name="api-webhooks"),
    path("webhooks/<str:webhook_id>", WebhookPage.as_view(), name="api-webhook"),
    path("webhooks/<str:webhook_id>/secret", WebhookSecret.as_view(), name="api-webhook-secret"),
    path("webhooks/<str:webhook_id>/test", WebhookTest.as_view(), name="api-webhook-test"),
    path("webhooks/<str:webhook_id>/remove", WebhookRemove.as_view(), name="api-webhook-remove"),
    path("webhooks/<str:webhook_id>/replay", WebhookReplay.as_view(), name="api-webhook-replay"),
    path("webhooks/<str:webhook_id>/deliveries", WebhookDeliveries.as_view(), name="api-webhook-deliveries"),
    path(
        "webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/replay",
        DeliveryReplay.as_view(),
        name="api-webhook-delivery-replay",
    ),
]
