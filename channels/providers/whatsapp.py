"""WhatsApp by Meta's Cloud API: approved templates, free words within a day of somebody's own, and its webhooks.

Our id of a message travels with it (`biz_opaque_callback_data`) and comes back with every status, so that one whose
call nobody knows the end of is known by it. Meta knows no idempotency key, so such a call is never repeated by itself.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Blame, CallsBack, DeliveryError, ListsTemplates, Outgoing
from channels.providers.http import HttpProvider, called, checked_base, document, refused
from channels.providers.whatsapp_templates import CHANGES, Change, Page, query
from channels.receipts.told import (
    BadSignature,
    Callback,
    Happened,
    Reading,
    Told,
    ToldReceipt,
    ToldReply,
    ToldTemplate,
    Unreadable,
    key_of,
)
from channels.web import Reply, Request
from customers.hints import form
from customers.models.address import Channel

_LONGEST: Final = 4_096
_STATUS: Final[Mapping[str, Happened]] = {
    "sent": Happened.SENT,
    "delivered": Happened.DELIVERED,
    "read": Happened.OPENED,
    "failed": Happened.FAILED,
}
# Meta's numbers of errors. Its status alone says little: most of them are 400.
_TOO_FAST: Final = frozenset({"4", "80007", "130429", "131048"})
_PAIR: Final = frozenset({"131056"})
_PAIR_WAIT: Final = 60.0
# There is no such number, or not for this token.
_NO_OBJECT: Final = 33
_LOG_IN: Final = frozenset({"0", "10", "190", "200", "131005", "131031", "131042", "368"})
_PASSING: Final = frozenset({"1", "2", "131000", "131016", "131057"})
_NO_SUCH: Final = frozenset({"131026", "131021"})
_STOPPED: Final = frozenset({"131050"})


class WhatsAppConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    phone_number_id: Annotated[str, form(_("phone number ID"), _("As Meta’s page for the API names it; no number."))]
    business_account_id: Annotated[
        str, form(_("business account ID"), _("Whose templates are looked at before they are sent; may be empty."))
    ] = ""
    version: Annotated[str, form(_("version of the API"))] = "v23.0"
    base_url: Annotated[str, form(_("base address"))] = "https://graph.facebook.com"

    def __post_init__(self) -> None:
        if not self.phone_number_id.isdigit():
            raise ValueError("phone_number_id has digits only")
        if self.business_account_id and not self.business_account_id.isdigit():
            raise ValueError("business_account_id has digits only")
        if not self.version.startswith("v") or not self.version[1:].replace(".", "", 1).isdigit():
            raise ValueError("version is written as v23.0")
        checked_base(self.base_url)


class WhatsAppCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    access_token: Annotated[str, form(_("access token"))]
    app_secret: Annotated[str, form(_("app secret"), _("Signs what Meta tells."))] = ""
    verify_token: Annotated[str, form(_("verify token"), _("Any words, the same here and on Meta’s page."))] = ""


class WhatsApp(HttpProvider, CallsBack, ListsTemplates):
    key = "whatsapp"
    label = _("WhatsApp Cloud API")
    channels: ClassVar = frozenset({Channel.WHATSAPP})
    keeps_window = True
    Config = WhatsAppConfig
    Credentials = WhatsAppCredentials

    def question(self) -> Request:
        return Request("GET", f"{self._number}?fields=id", (("authorization", f"Bearer {self._token}"),))

    @property
    def has_list(self) -> bool:
        return bool(self.config.business_account_id)

    def listed(self, after: str, deadline: float) -> tuple[list[ToldTemplate], str]:
        root = f"{checked_base(self.config.base_url)}/{self.config.version}/{self.config.business_account_id}"
        headers = (("authorization", f"Bearer {self._token}"),)
        reply = called(Request("GET", f"{root}/message_templates{query(after)}", headers), deadline)
        if reply.status != 200:
            raise _error(reply, document(reply).get("error"))
        try:
            page = msgspec.json.decode(reply.body, type=Page)
        except (msgspec.DecodeError, RecursionError):
            raise DeliveryError("the list cannot be read", blame=Blame.PROVIDER) from None
        return list(page.told()), page.after

    def request(self, outgoing: Outgoing) -> Request:
        said = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": outgoing.to.removeprefix("+"),
            **_content(outgoing),
        }
        if outgoing.message_id is not None:
            said["biz_opaque_callback_data"] = str(outgoing.message_id)
        headers = (("authorization", f"Bearer {self._token}"), ("content-type", "application/json"))
        return Request("POST", f"{self._number}/messages", headers, msgspec.json.encode(said))

    @property
    def _token(self) -> str:
        return str(self.credentials.access_token)

    @property
    def _number(self) -> str:
        return f"{checked_base(self.config.base_url)}/{self.config.version}/{self.config.phone_number_id}"

    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        said = document(reply)
        if reply.status == 200:
            match said.get("messages"):
                case [{"id": str(id_)}, *_rest]:
                    return Accepted(id_)
        if 200 <= reply.status < 300:
            raise DeliveryError("the reply names no message", accepted="maybe", blame=Blame.PROVIDER)
        raise _error(reply, said.get("error"))

    def greet(self, callback: Callback) -> bytes | None:
        """Meta asks once, by a GET, whether the address is ours."""
        asked = callback.asked()
        ours = self.credentials.verify_token
        given = asked.get("hub.verify_token", "")
        if not ours or not hmac.compare_digest(given.encode(), ours.encode()) or asked.get("hub.mode") != "subscribe":
            return None
        return asked.get("hub.challenge", "")[:200].encode()

    def verify(self, callback: Callback, now: datetime) -> None:
        """HMAC-SHA256 over the body by the app's secret."""
        given = callback.headers.get("x-hub-signature-256", "")
        digest = hmac.digest(self.credentials.app_secret.encode(), callback.body, "sha256").hex()
        if not self.credentials.app_secret or not hmac.compare_digest(given.encode(), f"sha256={digest}".encode()):
            raise BadSignature

    def told(self, callback: Callback) -> Reading:
        try:
            said = msgspec.json.decode(callback.body, type=_Told)
            changes = [(entry.id, change) for entry in said.entry for change in entry.changes]
            values = [
                (one.field, msgspec.json.decode(one.value, type=_Value))
                for _id, one in changes
                if one.field not in CHANGES
            ]
            stands = [
                msgspec.json.decode(one.value, type=Change).told()
                for id_, one in changes
                if one.field in CHANGES and id_ == self.config.business_account_id
            ]
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unreadable(str(error)[:200]) from None
        ours = [value for field, value in values if field == "messages"]
        told: list[Told] = [one for one in stands if one is not None]
        is_known = len(ours) + len(told) == len(changes)
        for value in ours:
            if value.metadata.phone_number_id != self.config.phone_number_id:
                # One account has many numbers, and may tell of all of them here: another connector's, and shown.
                is_known = False
                continue
            statuses, replies = _whole(value.statuses, _Status), _whole(value.messages, _Message)
            told += [*_receipts(statuses), *_replies(replies)]
            is_known &= len(statuses) == len(value.statuses) and len(replies) == len(value.messages)
        return Reading(told, is_known=is_known)


def _content(outgoing: Outgoing) -> dict[str, Any]:
    options = outgoing.options
    name, image = options.get("template"), options.get("image")
    if not name:
        if not outgoing.text.strip() or len(outgoing.text) > _LONGEST:
            raise DeliveryError(f"a text has 1 to {_LONGEST} characters", permanent=True)
        if image:
            return {"type": "image", "image": {"link": image, "caption": outgoing.text[:1024]}}
        return {"type": "text", "text": {"preview_url": False, "body": outgoing.text}}
    parts: list[dict[str, Any]] = []
    if image:
        parts.append({"type": "header", "parameters": [{"type": "image", "image": {"link": image}}]})
    elif header := options.get("header"):
        parts.append({"type": "header", "parameters": _texts([header])})
    if places := options.get("parameters"):
        parts.append({"type": "body", "parameters": _texts(places)})
    for number, end in enumerate(options.get("buttons") or ()):
        # The others have no place, so Meta wants no component for them.
        if end:
            parts.append({"type": "button", "sub_type": "url", "index": str(number), "parameters": _texts([end])})
    language = options.get("language") or outgoing.locale.replace("-", "_")
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": parts}}


def _texts(said: Iterable[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": one} for one in said]


def _error(reply: Reply, error: Any) -> DeliveryError:
    """By Meta's own number, which says more than the status; what it says of the person goes along."""
    found = error if isinstance(error, dict) else {}
    code = str(found.get("code", ""))
    text = str(found.get("message", ""))
    if code in _PAIR:
        # Too much for this person, and for nobody else.
        return DeliveryError(f"{reply.status} {code} {text}", code=code, retry_after=_PAIR_WAIT)
    if found.get("error_subcode") == _NO_OBJECT:
        return DeliveryError(f"{reply.status} {code} {text}", code=code, blame=Blame.SETTINGS)
    if code in _TOO_FAST:
        return refused(Reply(429, reply.headers, b""), text, code)
    if code in _LOG_IN:
        return DeliveryError(f"{reply.status} {code} {text}", code=code, blame=Blame.SETTINGS)
    if code in _PASSING and reply.status < 500:
        return DeliveryError(f"{reply.status} {code} {text}", code=code, blame=Blame.PROVIDER)
    answer = refused(reply, text, code)
    answer.says = _says(code)
    return answer


def _says(code: str) -> Happened | None:
    if code in _NO_SUCH:
        return Happened.BOUNCED
    return Happened.UNSUBSCRIBED if code in _STOPPED else None


_Member = TypeVar("_Member")


class _Error(msgspec.Struct):
    code: int | str = ""
    title: str = ""


class _Status(msgspec.Struct):
    id: str
    status: str
    timestamp: str = ""
    errors: list[_Error] | None = None
    biz_opaque_callback_data: str = ""


class _Text(msgspec.Struct):
    body: str = ""


class _Context(msgspec.Struct):
    id: str = ""


class _Button(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    sender: str = msgspec.field(name="from")
    id: str
    timestamp: str = ""
    type: str = "text"
    text: _Text = msgspec.field(default_factory=_Text)
    button: _Button = msgspec.field(default_factory=_Button)
    context: _Context = msgspec.field(default_factory=_Context)


class _Metadata(msgspec.Struct):
    phone_number_id: str = ""


class _Value(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    # Each by itself: one that is odd costs itself only.
    statuses: list[msgspec.Raw] = []
    messages: list[msgspec.Raw] = []


class _Change(msgspec.Struct):
    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Entry(msgspec.Struct):
    # Of the business account.
    id: str = ""
    changes: list[_Change] = []


class _Told(msgspec.Struct):
    """Of what Meta posts that which is read here; all else of it may be anything."""

    entry: list[_Entry] = []


def _whole(members: Sequence[msgspec.Raw], kind: type[_Member]) -> list[_Member]:
    found = []
    for one in members:
        with suppress(msgspec.DecodeError, RecursionError):
            found.append(msgspec.json.decode(one, type=kind))
    return found


def _receipts(statuses: Iterable[_Status]) -> Iterator[ToldReceipt]:
    for one in statuses:
        happened = _STATUS.get(one.status)
        if happened is None:
            continue
        code = str(one.errors[0].code) if one.errors else ""
        if happened is Happened.FAILED:
            happened = _says(code) or happened
        yield ToldReceipt(
            happened=happened,
            provider_id=one.id,
            message_key=key_of(one.biz_opaque_callback_data),
            at=_time(one.timestamp),
            code=code,
            detail=one.errors[0].title if one.errors else "",
        )


def _replies(messages: Iterable[_Message]) -> Iterator[ToldReply]:
    for one in messages:
        # A tap on a quick reply is what its words say; a picture or a voice has none.
        text = one.text.body or one.button.text
        yield ToldReply(
            channel=Channel.WHATSAPP.value,
            sender=f"+{one.sender}",
            provider_id=one.id,
            text=text,
            at=_time(one.timestamp),
            about=one.context.id,
            attachments=0 if one.type in ("text", "button") else 1,
        )


def _time(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() and len(seconds) < 12 else None
