"""Trying a connector without sending anything: whether its provider can be reached and knows us."""

import time
from typing import Final

from channels.accounts import service_of
from channels.models import Connector
from channels.providers.base import ConfigurationError, DeliveryError, Provider

_SECONDS: Final = 10.0


class CannotTry(Exception):
    """Whatever it was asked could have an effect."""


def probe(connector: Connector) -> str:
    """What is wrong; empty when nothing is. Raises CannotTry of a service that can be asked nothing harmless."""
    try:
        service = service_of(connector)
    except ConfigurationError as error:
        return str(error)
    if not isinstance(service, Provider) or not service.can_be_tried:
        raise CannotTry
    try:
        service.probe(time.monotonic() + _SECONDS)
    except DeliveryError as error:
        return error.detail
    return ""
