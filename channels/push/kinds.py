"""The two kinds of push addresses, told apart by their form: a device's token, or the endpoint of a browser."""

from enum import StrEnum


class Kind(StrEnum):
    # The token by which an app's device is known to its provider.
    DEVICE = "device"
    # The address of a browser's push service, which nobody else knows (RFC 8030 §8.3).
    BROWSER = "browser"


def kind_of(value: str) -> Kind:
    """Endpoints are URLs (RFC 8030); no provider of apps hands out tokens that are."""
    return Kind.BROWSER if value.startswith(("https://", "http://")) else Kind.DEVICE
