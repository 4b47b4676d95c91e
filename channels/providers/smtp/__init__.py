"""E-mail by SMTP: the provider, its client with a total deadline, and the message as bytes."""

from channels.providers.smtp.provider import Smtp

__all__ = ["Smtp"]
