"""SMTP as a provider: one connection for a batch, one recipient a message, honest about what was taken."""

import re
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, ClassVar, Literal, NoReturn

import msgspec
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Blame, DeliveryError, Outgoing, Provider
from channels.providers.smtp.client import DeadlineSMTP, Interrupted
from channels.providers.smtp.mail import Mailbox, build_mail, is_header, message_id, one_mailbox
from channels.receipts.told import Happened
from customers.hints import form
from customers.models.address import Channel

# The server says goodbye: the connection is of no more use, the message is as good as before.
_SHUTTING_DOWN = 421
_GOODBYE_SECONDS = 1.0
# RFC 3463: no such mailbox or host, none any more, or no mail for it at all (5.1.1, 5.1.2, 5.1.6, 5.1.10).
_NOBODY = re.compile(r"\b5\.1\.(?:1|2|6|10)\b")


class SmtpConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`from_email` and `from_name` default to the brand's sender."""

    host: Annotated[str, form(_("host"), _("The name of the server that takes the mail."))]
    port: Annotated[int, form(_("port"))] = 587
    security: Annotated[
        Literal["starttls", "ssl", "none"],
        form(_("encryption"), choices={"starttls": "STARTTLS", "ssl": "TLS", "none": _("none")}),
    ] = "starttls"
    from_email: Annotated[str, form(_("from address"), _("Empty: the brand’s sender."))] = ""
    from_name: Annotated[str, form(_("from name"), _("Empty: the brand’s sender."))] = ""
    hello: Annotated[str, form(_("name given to the server"), _("Empty: the domain of the from address."))] = ""
    headers: Annotated[
        dict[str, str], form(_("further headers"), _("As JSON: names and values that every mail gets."))
    ] = {}

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not is_header(name, value):
                raise ValueError(f"the header {name[:60]!r} may not be set")


class SmtpCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    username: Annotated[str, form(_("user name"))] = ""
    password: Annotated[str, form(_("password"))] = ""


class SmtpSession:
    def __init__(self, config: SmtpConfig, credentials: SmtpCredentials) -> None:
        self._config = config
        self._credentials = credentials
        self._client: DeadlineSMTP | None = None

    def prepare(self, deadline: float) -> None:
        if self._client is not None and self._client.is_fresh():
            return
        self.drop()
        client = DeadlineSMTP(
            self._config.hello or self._config.from_email.rpartition("@")[2] or "localhost",
            deadline,
            ssl.create_default_context() if self._config.security == "ssl" else None,
        )
        try:
            self._greet(client)
        except (OSError, ValueError) as error:
            # Refused, unknown, mistrusted, log-in failed: the message itself has not been touched.
            client.close()
            is_ours = isinstance(error, smtplib.SMTPAuthenticationError | ssl.SSLCertVerificationError)
            blame = Blame.SETTINGS if is_ours else Blame.PROVIDER
            raise DeliveryError(_describe(error), blame=blame) from error
        self._client = client

    def _greet(self, client: DeadlineSMTP) -> None:
        code, reply = client.connect(self._config.host, self._config.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, reply)
        if self._config.security == "starttls":
            client.start_tls(self._config.host, ssl.create_default_context())
        client.ehlo_or_helo_if_needed()
        if self._credentials.username:
            client.login(self._credentials.username, self._credentials.password)

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        if self._client is None:
            raise DeliveryError("not connected")
        sender = self._sender(outgoing)
        mail = build_mail(outgoing, sender, self._config.headers)
        client = self._client
        client.deadline = deadline
        try:
            self._envelope(client, sender.address, one_mailbox(outgoing.to).address)
            verdict = client.transmit(mail)
            if not 200 <= verdict[0] <= 599:
                raise Interrupted("the server's verdict cannot be read")
            self._expect(verdict, 250)
        except Interrupted as error:
            self.drop()
            raise DeliveryError(str(error), accepted="maybe", blame=Blame.PROVIDER) from error
        except OSError as error:
            # Before the end of the message: the server cannot have taken it.
            self.drop()
            raise DeliveryError(_describe(error), blame=Blame.PROVIDER) from error
        return Accepted(message_id(outgoing, sender))

    def _sender(self, outgoing: Outgoing) -> Mailbox:
        return one_mailbox(
            self._config.from_email or outgoing.sender_email, self._config.from_name or outgoing.sender_name
        )

    def _envelope(self, client: DeadlineSMTP, sender: str, recipient: str) -> None:
        options = []
        if not (sender + recipient).isascii():
            if not client.has_extn("smtputf8"):
                raise DeliveryError("channel_cannot_deliver: no SMTPUTF8", permanent=True)
            options = ["SMTPUTF8"]
        # Before anybody is named it can only be about us, or about the server.
        self._expect(client.mail(sender, options), 250, blame=Blame.SETTINGS)
        try:
            self._expect(client.rcpt(recipient), 250, 251)
        except DeliveryError as error:
            error.says = Happened.BOUNCED if error.permanent and _NOBODY.search(error.detail) else None
            raise
        self._expect(client.docmd("DATA"), 354)

    def _expect(self, reply: tuple[int, bytes], *wanted: int, blame: Blame = Blame.MESSAGE) -> None:
        if reply[0] not in wanted:
            self._refused(*reply, blame)

    def _refused(self, code: int, reply: bytes, blame: Blame) -> NoReturn:
        """A clear no for this message; the connection is made ready for the next one."""
        if code == _SHUTTING_DOWN or not self._reset():
            self.drop()
        text = reply.decode("utf-8", "replace").replace("\n", " ")
        is_final = 500 <= code <= 599
        if code == _SHUTTING_DOWN or (blame is Blame.SETTINGS and not is_final):
            blame = Blame.PROVIDER
        permanent = is_final and blame is Blame.MESSAGE
        raise DeliveryError(f"{code} {text}", permanent=permanent, code=str(code), blame=blame)

    def _reset(self) -> bool:
        with suppress(OSError):
            return self._client is not None and self._client.rset()[0] == 250
        return False

    def drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def close(self, deadline: float) -> None:
        """Say goodbye when there is time for it."""
        if self._client is not None:
            self._client.deadline = deadline
            with suppress(OSError):
                self._client.docmd("QUIT")
        self.drop()


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return f"{type(error).__name__}: {error}"


class Smtp(Provider):
    key = "smtp"
    label = _("SMTP server")
    channels: ClassVar = frozenset({Channel.EMAIL})
    Config = SmtpConfig
    Credentials = SmtpCredentials

    @contextmanager
    def open(self) -> Iterator[SmtpSession]:
        session = SmtpSession(self.config, self.credentials)
        try:
            yield session
        finally:
            session.close(time.monotonic() + _GOODBYE_SECONDS)
