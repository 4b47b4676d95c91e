"""SMS and WhatsApp by Twilio: its Messages API, and what it tells at the callback it is given with every message.

Twilio knows no idempotency key for messages, so a call of which nobody knows is never repeated by itself.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Blame, CallsBack, DeliveryError, Outgoing
from channels.providers.http import HttpProvider, checked_base, document, refused
from channels.receipts.told import BadSignature, Callback, Happened, Reading, ToldReceipt, ToldReply, key_of
from channels.web import Reply, Request
from customers.hints import form
from customers.models.address import Channel

_ACCOUNT: Final = re.compile(r"AC[0-9a-f]{32}")
_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
_CONTENT: Final = re.compile(r"HX[0-9a-f]{32}")
_LONGEST: Final = 1_600
# Twilio's own names of errors: the number takes no messages at all, or its owner wants none from this sender.
_NO_SUCH_NUMBER: Final = frozenset({"21211", "21614", "30005", "30006"})
# The sender of our settings is none, or not for this.
_OUR_SENDER: Final = frozenset({"21212", "21603", "21606", "21659", "21910", "63007"})
_UNSUBSCRIBED: Final = frozenset({"21610"})
_STATUS: Final[Mapping[str, Happened]] = {
    "sent": Happened.SENT,
    "delivered": Happened.DELIVERED,
    "read": Happened.OPENED,
    "undelivered": Happened.FAILED,
    "failed": Happened.FAILED,
}
_EARLY: Final = frozenset({"accepted", "scheduled", "queued", "sending"})
_WHATSAPP: Final = "whatsapp:"


class TwilioConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    account_sid: Annotated[str, form(_("account SID"), _("Begins with AC."))]
    sender: Annotated[
        str,
        form(_("sender"), _("A number with its country (+55…), a messaging service (MG…), or a name they know.")),
    ]
    base_url: Annotated[str, form(_("base address"))] = "https://api.twilio.com"

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account_sid):
            raise ValueError("account_sid begins with AC, and 32 hexadecimal digits follow")
        checked_base(self.base_url)


class TwilioCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    auth_token: Annotated[str, form(_("auth token"), _("Signs what Twilio tells; calls are made with it as well."))]


class Twilio(HttpProvider, CallsBack):
    key = "twilio"
    label = _("Twilio")
    channels: ClassVar = frozenset({Channel.SMS, Channel.WHATSAPP})
    keeps_window = True
    Config = TwilioConfig
    Credentials = TwilioCredentials

    def question(self) -> Request:
        return Request("GET", f"{self._account}.json", (("authorization", self._who),))

    def request(self, outgoing: Outgoing) -> Request:
        said = {
            "To": self._address(outgoing.channel, outgoing.to),
            **self._sender(outgoing.channel),
            **self._content(outgoing),
        }
        if outgoing.callback_url.startswith("https://"):
            said["StatusCallback"] = outgoing.callback_url
        headers = (("authorization", self._who), ("content-type", "application/x-www-form-urlencoded"))
        return Request("POST", f"{self._account}/Messages.json", headers, urlencode(said).encode())

    @property
    def _who(self) -> str:
        who = f"{self.config.account_sid}:{self.credentials.auth_token}"
        return f"Basic {base64.b64encode(who.encode()).decode()}"

    @property
    def _account(self) -> str:
        return f"{checked_base(self.config.base_url)}/2010-04-01/Accounts/{self.config.account_sid}"

    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        said = document(reply)
        if reply.status == 201 and isinstance(said.get("sid"), str):
            return Accepted(said["sid"])
        if 200 <= reply.status < 300:
            raise DeliveryError("the reply names no message", accepted="maybe", blame=Blame.PROVIDER)
        code, text = str(said.get("code") or ""), str(said.get("message") or "")
        if code in _OUR_SENDER:
            raise DeliveryError(f"{reply.status} {code} {text}", code=code, blame=Blame.SETTINGS)
        error = refused(reply, text, code)
        error.says = _says(code)
        raise error

    def _sender(self, channel: str) -> dict[str, str]:
        if _SERVICE.fullmatch(self.config.sender):
            return {"MessagingServiceSid": self.config.sender}
        return {"From": self._address(channel, self.config.sender)}

    @staticmethod
    def _address(channel: str, value: str) -> str:
        return f"{_WHATSAPP}{value}" if channel == Channel.WHATSAPP else value

    @staticmethod
    def _content(outgoing: Outgoing) -> dict[str, str]:
        template = str(outgoing.options.get("template", ""))
        if template:
            if not _CONTENT.fullmatch(template):
                raise DeliveryError("at Twilio a template is named by its SID (HX…)", permanent=True)
            places = {str(n): value for n, value in enumerate(outgoing.options.get("parameters", []), 1)}
            return {"ContentSid": template, "ContentVariables": msgspec.json.encode(places).decode()}
        if not outgoing.text.strip():
            raise DeliveryError("nothing to say", permanent=True)
        if len(outgoing.text) > _LONGEST:
            raise DeliveryError(f"longer than {_LONGEST} characters", permanent=True)
        image = outgoing.options.get("image")
        return {"Body": outgoing.text, **({"MediaUrl": str(image)} if image else {})}

    def verify(self, callback: Callback, now: datetime) -> None:
        """HMAC-SHA1 over the address and the form's fields in the order of their names, as Twilio documents it."""
        given = callback.headers.get("x-twilio-signature", "")
        fields = "".join(name + value for name, value in sorted(callback.form()))
        for url in _spellings(callback.url):
            digest = hmac.digest(self.credentials.auth_token.encode(), (url + fields).encode(), "sha1")
            if hmac.compare_digest(base64.b64encode(digest), given.encode()):
                return
        raise BadSignature

    def told(self, callback: Callback) -> Reading:
        said = dict(callback.form())
        sid = said.get("MessageSid") or said.get("SmsSid") or ""
        status = (said.get("MessageStatus") or said.get("SmsStatus") or "").lower()
        if status == "received" or (not status and "Body" in said):
            return Reading((_reply(said, sid),))
        if status in _EARLY:
            return Reading()
        happened = _STATUS.get(status)
        if happened is None or not sid:
            return Reading(is_known=False)
        return Reading((_receipt(happened, said.get("ErrorCode", ""), sid, callback.asked().get("message", "")),))


def _says(code: str) -> Happened | None:
    if code in _NO_SUCH_NUMBER:
        return Happened.BOUNCED
    return Happened.UNSUBSCRIBED if code in _UNSUBSCRIBED else None


def _receipt(happened: Happened, code: str, sid: str, message: str) -> ToldReceipt:
    if happened is Happened.FAILED:
        happened = _says(code) or happened
    return ToldReceipt(happened=happened, provider_id=sid, message_key=key_of(message), code=code)


def _reply(said: Mapping[str, str], sid: str) -> ToldReply:
    sender = said.get("From", "")
    is_whatsapp = sender.startswith(_WHATSAPP)
    count = said.get("NumMedia", "0")
    return ToldReply(
        channel=(Channel.WHATSAPP if is_whatsapp else Channel.SMS).value,
        sender=sender.removeprefix(_WHATSAPP),
        provider_id=sid,
        text=said.get("Body", ""),
        about=said.get("OriginalRepliedMessageSid", ""),
        attachments=int(count) if count.isdigit() else 0,
    )


def _spellings(url: str) -> list[str]:
    """Twilio signs the address now with its usual port and now without."""
    parts = urlsplit(url)
    port = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    if parts.port is None:
        return [url, url.replace(f"//{host}", f"//{host}:{port}", 1)]
    return [url, url.replace(f":{parts.port}", "", 1)]
