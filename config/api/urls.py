"""Every address below /api/."""

from django.urls import include, path, re_path

from config.api import views

urlpatterns = [
    path("v1/openapi.json", views.openapi, name="api-openapi"),
    path("v1/docs", views.docs, name="api-docs"),
    path("v1/", include("customers.api.urls")),
    path("v1/", include("consent.api.urls")),
    path("v1/", include("channels.api.urls")),
    path("v1/", include("journeys.api.urls")),
    path("v1/", include("analytics.api.urls")),
    re_path(r"", views.nothing, name="api-nothing"),
]
