"""The addresses of the doors."""

from django.urls import path

from customers.api import segment

urlpatterns = [
    path("v1/track", segment.track, name="segment-track"),
    path("v1/identify", segment.identify, name="segment-identify"),
    path("v1/batch", segment.batch, name="segment-batch"),
]
