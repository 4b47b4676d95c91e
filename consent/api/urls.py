"""The partner API of consent."""

from django.urls import path

from consent.api.consents import Ask, Consents, Grant, Withdraw
from consent.api.privacy import PrivacyRequestDetail, PrivacyRequests

urlpatterns = [
    path("privacy-requests", PrivacyRequests.as_view(), name="api-privacy-requests"),
    path("privacy-requests/<str:request_id>", PrivacyRequestDetail.as_view(), name="api-privacy-request"),
    path("consents", Consents.as_view(), name="api-consents"),
    path("consents/grant", Grant.as_view(), name="api-consent-grant"),
    path("consents/request", Ask.as_view(), name="api-consent-request"),
    path("consents/withdraw", Withdraw.as_view(), name="api-consent-withdraw"),
]
