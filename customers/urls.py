"""The addresses of the doors."""

from django.urls import path

from customers.accept.segment import KINDS
from customers.api import segment
from customers.views import script

urlpatterns = [
    *(path(f"v1/{kind}", segment.single(kind), name=f"segment-{kind}") for kind in KINDS),
    path("v1/batch", segment.batch, name="segment-batch"),
    path("js/trilha.js", script.newest, name="script"),
    path("js/trilha-<str:version>.js", script.one, name="script-version"),
]
