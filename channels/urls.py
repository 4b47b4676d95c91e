"""The addresses of the act layer."""

from django.urls import path

from channels.api.callbacks import callback

app_name = "channels"

urlpatterns = [path("hooks/channels/<uuid:connector_id>", callback, name="callback")]
