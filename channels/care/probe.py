"""Trying a connector without sending anything: whether its provider can be reached and knows us."""

import time
from typing import Final

from channels.accounts import service_of
from channels.models import Connector
from channels.providers.base import ConfigurationError, DeliveryError, Provider

_SECONDS: Final = 10.0


def probe(connector: Connector) -> str:
    """What is wrong; empty when nothing is."""
    try:
        service = service_of(connector)
    except ConfigurationError as error:
        return str(error)
    if not isinstance(service, Provider):
        return ""
    try:
        service.probe(time.monotonic() + _SECONDS)
    except DeliveryError as error:
        return error.detail
    return ""
