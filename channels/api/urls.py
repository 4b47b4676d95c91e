"""The partner API of the act layer."""

from django.urls import path

from channels.api.broadcasts import (
    BroadcastPage,
    BroadcastPause,
    BroadcastResume,
    Broadcasts,
    BroadcastStart,
    BroadcastStop,
)
from channels.api.entitlements import EntitlementBalances, EntitlementRevoke, Entitlements, EntitlementUse
from channels.api.products import ProductPage, ProductRemove, Products
from channels.api.tasks import TaskClaim, TaskComplete, TaskRelease, Tasks
from channels.api.webhook_deliveries import DeliveryReplay, WebhookDeliveries, WebhookReplay
from channels.api.webhooks import WebhookPage, WebhookRemove, Webhooks, WebhookSecret, WebhookTest

urlpatterns = [
    path("entitlements", Entitlements.as_view(), name="api-entitlements"),
    path("entitlements/balance", EntitlementBalances.as_view(), name="api-entitlement-balances"),
    path("entitlements/use", EntitlementUse.as_view(), name="api-entitlement-use"),
    path("entitlements/<str:entitlement_id>/revoke", EntitlementRevoke.as_view(), name="api-entitlement-revoke"),
    path("products", Products.as_view(), name="api-products"),
    path("products/<str:product_key>", ProductPage.as_view(), name="api-product"),
    path("products/<str:product_key>/remove", ProductRemove.as_view(), name="api-product-remove"),
    path("broadcasts", Broadcasts.as_view(), name="api-broadcasts"),
    path("broadcasts/<str:broadcast_id>", BroadcastPage.as_view(), name="api-broadcast"),
    path("broadcasts/<str:broadcast_id>/start", BroadcastStart.as_view(), name="api-broadcast-start"),
    path("broadcasts/<str:broadcast_id>/pause", BroadcastPause.as_view(), name="api-broadcast-pause"),
    path("broadcasts/<str:broadcast_id>/resume", BroadcastResume.as_view(), name="api-broadcast-resume"),
    path("broadcasts/<str:broadcast_id>/stop", BroadcastStop.as_view(), name="api-broadcast-stop"),
    path("tasks", Tasks.as_view(), name="api-tasks"),
    path("tasks/<str:task_id>/claim", TaskClaim.as_view(), name="api-task-claim"),
    path("tasks/<str:task_id>/release", TaskRelease.as_view(), name="api-task-release"),
    path("tasks/<str:task_id>/complete", TaskComplete.as_view(), name="api-task-complete"),
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
