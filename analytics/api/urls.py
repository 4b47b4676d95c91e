"""The partner API of messages."""

from django.urls import path

from analytics.api.messages import MessagePage, Messages

urlpatterns = [
    path("messages", Messages.as_view(), name="api-messages"),
    path("messages/<str:message_id>", MessagePage.as_view(), name="api-message"),
]
