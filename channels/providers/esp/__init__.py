"""E-mail by services with an API of their own (ESPs), each as django-anymail knows it: the provider, the table of
services, the calls and what comes back."""

from channels.providers.esp.provider import EspProvider

__all__ = ["EspProvider"]
