"""A connector as the service that its settings make of it, and the address at which that may call back."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from channels.models import Connector
from channels.providers import base
from channels.secrets import SecretError, credentials_aad, open_sealed


def service_of(connector: Connector) -> base.Service:
    """Raises ConfigurationError where settings or credentials do not fit, or open with no key of ours."""
    try:
        credentials = open_sealed(bytes(connector.credentials), credentials_aad(connector.pk))
    except SecretError as error:
        raise base.ConfigurationError(str(error)) from None
    return base.build(connector.provider, connector.config, credentials)


def calls_back(provider: str) -> bool:
    """Whether its settings at the provider need the address at which it calls us."""
    if provider not in base.provider_keys():
        return False
    found = base.provider_class(provider)
    return issubclass(found, base.CallsBack) and found.asks_for_address


def callback_url(connector_id: UUID) -> str:
    path = reverse("channels:callback", args=[connector_id])
    return f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}{path}"
