"""The addresses of the whole installation."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.demo import shop

handler400 = "config.api.views.bad_request"
handler404 = "config.api.views.missing"
handler500 = "config.api.views.failure"

urlpatterns = [
    path("admin/", include("customers.views.urls")),
    path("admin/", admin.site.urls),
    path("language/", include("django.conf.urls.i18n")),
    path("", include("customers.urls")),
    path("", include("consent.urls")),
    path("", include("channels.urls")),
    path("api/", include("config.api.urls")),
    path("demo/<slug:brand>/", shop.page, name="demo-shop"),
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
]
