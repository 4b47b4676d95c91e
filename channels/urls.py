"""The addresses of the act layer."""

from django.urls import path

from channels.api import onscreen
from channels.api.callbacks import callback
from channels.api.push import push
from channels.views.images import image
from channels.views.links import link, opened

app_name = "channels"

urlpatterns = [
    path("l/<str:token>", link, name="link"),
    path("o/<str:token>.gif", opened, name="opened"),
    path("hooks/channels/<uuid:connector_id>", callback, name="callback"),
    path("i/<str:file>", image, name="image"),
    path("v1/push", push, name="push"),
    path("v1/inbox", onscreen.inbox_page, name="inbox"),
    path("v1/inbox/marks", onscreen.inbox_marks, name="inbox-marks"),
    path("v1/slots", onscreen.slot_contents, name="slots"),
    path("v1/slots/marks", onscreen.slot_marks, name="slot-marks"),
]
