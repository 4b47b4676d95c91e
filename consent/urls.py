"""The public pages of consent."""

from django.urls import path

from consent.views.confirm import confirm
from consent.views.preferences import preferences
from consent.views.unsubscribe import unsubscribe

app_name = "consent"

urlpatterns = [
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("p/<str:token>", preferences, name="preferences"),
    path("c/<str:token>", confirm, name="confirm"),
]
