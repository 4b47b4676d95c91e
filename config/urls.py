"""The addresses of the whole installation."""

from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("customers.urls")),
    path("", include("consent.urls")),
    path("healthz/live", health.live, name="health-live"),
]
