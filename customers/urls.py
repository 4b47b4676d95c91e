"""The addresses of the doors."""

from django.urls import path

from customers.accept.segment import KINDS
from customers.api import hooks, segment
from customers.views import script

urlpatterns = [
    *(path(f"v1/{kind}", segment.single(kind), name=f"segment-{kind}") for kind in KINDS),
    path("v1/batch", segment.batch, name="segment-batch"),
    path("hooks/<uuid:hook_id>", hooks.hook, name="hook"),
    path("js/trilha.js", script.newest, name="script"),
    path("js/trilha-inbox.js", script.newest, {"name": "trilha-inbox"}, name="script-inbox"),
    path("js/trilha-slots.js", script.newest, {"name": "trilha-slots"}, name="script-slots"),
    path("js/trilha-inbox-<str:version>.js", script.one, {"name": "trilha-inbox"}, name="script-inbox-version"),
    path("js/trilha-slots-<str:version>.js", script.one, {"name": "trilha-slots"}, name="script-slots-version"),
    path("js/trilha-push.js", script.newest, {"name": "trilha-push"}, name="script-push"),
    path("js/trilha-sw.js", script.newest, {"name": "trilha-sw"}, name="script-sw"),
    path("js/trilha-push-<str:version>.js", script.one, {"name": "trilha-push"}, name="script-push-version"),
    path("js/trilha-sw-<str:version>.js", script.one, {"name": "trilha-sw"}, name="script-sw-version"),
    path("js/trilha-<str:version>.js", script.one, name="script-version"),
]
