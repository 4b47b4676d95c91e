"""The partner API of consent."""

from django.urls import path

from consent.api.consents import Ask, Consents, Grant, Withdraw

urlpatterns = [
    path("consents", Consents.as_view(), name="api-consents"),
    path("consents/grant", Grant.as_view(), name="api-consent-grant"),
    path("consents/request", Ask.as_view(), name="api-consent-request"),
    path("consents/withdraw", Withdraw.as_view(), name="api-consent-withdraw"),
]
