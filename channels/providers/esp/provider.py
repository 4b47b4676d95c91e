"""The provider: one connector is one account with one of the services."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import quote
from typing import Annotated, Any, ClassVar, Final

import msgspec
from anymail.exceptions import AnymailError
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, CallsBack, ConfigurationError, DeliveryError, Outgoing, Provider
from channels.providers.esp import callbacks
from channels.providers.esp.carrier import CarriedSession, Carrier
from channels.providers.esp.services import ESPS, Esp, Name
from channels.providers.esp.verdicts import accepted, error_of
from channels.providers.http import Lines, checked_base
from channels.providers.smtp.mail import Mailbox, is_header, is_one_line, message_id, one_mailbox
from channels.receipts.told import Callback, Reading
from customers.hints import form
from customers.models.address import Channel

_LABELS: Final = {name: one.label for name, one in ESPS.items()}


class EspConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`from_email` and `from_name` default to the brand's sender."""

    service: Annotated[Name, form(_("service"), choices=_LABELS)]
    from_email: Annotated[str, form(_("from address"), _("Empty: the brand’s sender."))] = ""
    from_name: Annotated[str, form(_("from name"), _("Empty: the brand’s sender."))] = ""
    sender_domain: Annotated[
        str, form(_("sending domain"), _("Mailgun only. Empty: the domain of the from address."))
    ] = ""
    message_stream: Annotated[str, form(_("message stream"), _("Postmark only, as in broadcast."))] = ""
    project_id: Annotated[str, form(_("project ID"), _("Scaleway only, which needs it."))] = ""
    region: Annotated[str, form(_("region"), _("Scaleway only. Empty: fr-par."))] = ""
    subaccount: Annotated[str, form(_("subaccount"), _("SparkPost only."))] = ""
    base_url: Annotated[
        str,
        form(
            _("base address"),
            _("Empty: the service’s usual one. Another region has another; Postal and Unisender Go need it."),
        ),
    ] = ""
    headers: Annotated[
        dict[str, str], form(_("further headers"), _("As JSON: names and values that every mail gets."))
    ] = {}

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not is_header(name, value):
                raise ValueError(f"the header {name[:60]!r} may not be set")
        if self.base_url:
            checked_base(self.base_url)
        for name in ESPS[self.service].needs:
            if not getattr(self, name):
                raise ValueError(gettext("%(service)s needs %(name)s.") % {"service": self.service, "name": name})
        if any(sign in self.base_url + self.sender_domain + self.region for sign in "{}%") or "/" in self.sender_domain:
            raise ValueError(gettext("This is no part of an address."))


class EspCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    api_key: Annotated[str, form(_("API key"), _("Of Postmark the server token, of Scaleway the secret key."))]
    secret_key: Annotated[str, form(_("secret key"), _("Mailjet only."))] = ""
    callback_key: Annotated[
        str, form(_("signing key"), _("Signs what Mailgun, MailerSend, Mailtrap, Mandrill and Postal tell."))
    ] = ""
    inbound_key: Annotated[
        str, form(_("signing key of letters"), _("MailerSend only, which signs what it receives by another."))
    ] = ""
    callback_login: Annotated[
        str, form(_("log-in of callbacks"), _("user:password, as in the address that the others are given."))
    ] = ""

    def __post_init__(self) -> None:
        for value in (self.api_key, self.secret_key, self.callback_key, self.inbound_key, self.callback_login):
            if not value.isascii() or not (value.isprintable() or not value):
                raise ValueError(gettext("This is no token."))
        if self.callback_login and ":" not in self.callback_login.strip(":"):
            raise ValueError(gettext("The log-in of callbacks is written as user:password."))


class EspProvider(Provider, CallsBack):
    key = "esp"
    label = _("E-mail service (Mailgun, Postmark, Brevo …)")
    channels: ClassVar = frozenset({Channel.EMAIL})
    Config = EspConfig
    Credentials = EspCredentials

    def __init__(self, config: EspConfig, credentials: EspCredentials) -> None:
        super().__init__(config, credentials)
        if self.esp.secret and not credentials.secret_key:
            raise ConfigurationError(
                gettext("%(service)s needs %(name)s.") % {"service": config.service, "name": "secret_key"}
            )

    @property
    def esp(self) -> Esp:
        return ESPS[self.config.service]

    @contextmanager
    def open(self) -> Iterator["EspSession"]:
        session = EspSession(self)
        try:
            yield session
        finally:
            session.close()

    def backend(self) -> Any:
        """anymail's, with what the connector says and nothing of the installation's settings."""
        given = {self.esp.key: self.credentials.api_key}
        if self.esp.secret:
            given[self.esp.secret] = self.credentials.secret_key
        given |= {name: value for name in self.esp.more if (value := getattr(self.config, name))}
        if self.config.base_url:
            given["api_url"] = self.config.base_url
        return self.esp.backend(**given)

    def mail(self, outgoing: Outgoing) -> EmailMultiAlternatives:
        """The letter as the backend takes it; raises DeliveryError where none can be made."""
        sender = one_mailbox(
            self.config.from_email or outgoing.sender_email, self.config.from_name or outgoing.sender_name
        )
        if not is_one_line(outgoing.subject):
            raise DeliveryError("control_character in a header", permanent=True)
        if not outgoing.text.strip() and not outgoing.html:
            raise DeliveryError("nothing to say", permanent=True)
        letter = EmailMultiAlternatives(
            outgoing.subject,
            outgoing.text,
            f'"{quote(sender.name)}" <{sender.address}>' if sender.name else sender.address,
            [one_mailbox(outgoing.to).address],
            headers=self._headers(outgoing, sender),
        )
        if outgoing.html:
            letter.attach_alternative(outgoing.html, "text/html")
        if outgoing.message_id is not None and self.esp.takes_metadata:
            # Comes back with all that is told of it.
            letter.metadata = {"message": str(outgoing.message_id)}  # type: ignore[attr-defined]
        return letter

    def _headers(self, outgoing: Outgoing, sender: Mailbox) -> dict[str, str]:
        said = dict(self.config.headers)
        if outgoing.list_key:
            said["List-Id"] = f"<{outgoing.list_key}.{sender.domain}>"
        if outgoing.unsubscribe_url:
            said["List-Unsubscribe"] = f"<{outgoing.unsubscribe_url}>"
            said["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if self.esp.keeps_message_id:
            said["Message-ID"] = message_id(outgoing, sender)
        return said

    def verify(self, callback: Callback, now: datetime) -> None:
        callbacks.verify(self.esp, callback, login=self.credentials.callback_login, keys=self._keys())

    def told(self, callback: Callback) -> Reading:
        return callbacks.told(self.esp, callback, self._keys())

    def _keys(self) -> Mapping[str, str]:
        """By the names that the views have for them."""
        esp, held = self.esp, self.credentials
        keys = {esp.signed_by: held.api_key if esp.signs_by_api_key else held.callback_key}
        if esp.inbound_signed_by:
            keys.setdefault(esp.inbound_signed_by, held.inbound_key or held.callback_key)
        return keys


class EspSession(Lines):
    """anymail's backend, whose calls go over our lines."""

    def __init__(self, provider: EspProvider) -> None:
        super().__init__()
        self._provider = provider
        self._carrier = Carrier(self)
        self._backend = provider.backend()
        self._backend.session = CarriedSession(self._carrier)

    def prepare(self, deadline: float) -> None:
        self._line(self._backend.api_url, deadline)

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        letter: Any = self._provider.mail(outgoing)
        self._carrier.deadline = deadline
        try:
            self._backend.send_messages([letter])
        except AnymailError as error:
            raise error_of(error, self._provider.esp) from None
        return accepted(letter.anymail_status)
