"""Push by Firebase Cloud Messaging (HTTP v1): one device's token a call, in the name of a service account.

It knows no idempotency key and calls nobody back: what became of a push, a device tells by itself, or nobody does.
"""

import time
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Blame, ConfigurationError, DeliveryError, Outgoing
from channels.providers.http import HttpProvider, HttpSession, checked_base, document, refused
from channels.push.kinds import Kind
from channels.receipts.told import Happened
from channels.web import Reply, Request
from channels.web.address import RefusedAddress, place_of
from customers.clock import utcnow
from customers.hints import form
from customers.models.address import Channel

_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTED_FOR: Final = timedelta(hours=1)
# A token that ends within this is as good as ended.
_MARGIN_SECONDS: Final = 60.0
_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
# Firebase keeps what cannot be delivered for four weeks at most.
_LONGEST_LIFE: Final = timedelta(days=28)
# What Apple and browsers take as the name of a topic.
_LONGEST_APPLE: Final = 64
_LONGEST_WEB: Final = 32


class FcmConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    project: Annotated[str, form(_("project ID"), _("Empty: the service account’s own."))] = ""
    base_url: Annotated[str, form(_("base address"))] = "https://fcm.googleapis.com"

    def __post_init__(self) -> None:
        _check_project(self.project)
        checked_base(self.base_url)


class FcmCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    service_account: Annotated[
        str, form(_("service account’s key"), _("The whole JSON file, as Firebase’s console hands it out."))
    ]

    def __post_init__(self) -> None:
        account_of(self.service_account)


class Account(msgspec.Struct, frozen=True):
    """What is used of a service account's JSON."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


def account_of(pasted: str) -> Account:
    """Raises ValueError of what is no service account's key; its words hold nothing of it."""
    try:
        account = msgspec.json.decode(pasted, type=Account)
        _key_of(account)
    except (msgspec.DecodeError, RecursionError, ValueError, TypeError):
        raise ValueError(gettext("This is no service account’s key.")) from None
    try:
        place_of(account.token_uri)
    except RefusedAddress as error:
        raise ValueError(gettext("The key’s token_uri may not be called: %(reason)s.") % {"reason": error}) from None
    _check_project(account.project_id)
    return account


def _key_of(account: Account) -> RSAPrivateKey:
    # The check that is skipped proves the primes, which takes longer than signing does.
    key = load_pem_private_key(account.private_key.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key is needed")
    return key


def _check_project(project: str) -> None:
    if project and not (project.isascii() and project.replace("-", "").replace(":", "").replace(".", "").isalnum()):
        raise ValueError(gettext("This is no project ID."))


class Fcm(HttpProvider):
    key = "fcm"
    label = _("Firebase Cloud Messaging")
    channels: ClassVar = frozenset({Channel.PUSH})
    reaches: ClassVar = frozenset({Kind.DEVICE})
    Config = FcmConfig
    Credentials = FcmCredentials

    def __init__(self, config: FcmConfig, credentials: FcmCredentials) -> None:
        super().__init__(config, credentials)
        self.account = account_of(credentials.service_account)
        self.project = config.project or self.account.project_id
        if not self.project:
            raise ConfigurationError(gettext("Neither the settings nor the key name a project."))

    def session(self) -> "FcmSession":
        return FcmSession(self)

    def request(self, outgoing: Outgoing) -> Request:
        url = f"{checked_base(self.config.base_url)}/v1/projects/{self.project}/messages:send"
        said = {"message": {"token": outgoing.to, **_content(outgoing)}}
        return Request("POST", url, (("content-type", "application/json"),), msgspec.json.encode(said))

    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        said = document(reply)
        if reply.status == 200:
            if isinstance(said.get("name"), str):
                return Accepted(said["name"])
            raise DeliveryError("the reply names no message", accepted="maybe", blame=Blame.PROVIDER)
        raise _error(reply, said.get("error"))


class FcmSession(HttpSession):
    """With an access token, which is fetched before the message's turn and kept until it is about to end."""

    def __init__(self, provider: Fcm) -> None:
        super().__init__(provider)
        self._fcm = provider
        self._token, self._until = "", 0.0

    def prepare(self, deadline: float) -> None:
        super().prepare(deadline)
        if time.monotonic() >= self._until:
            self._token, seconds = self._fetch(deadline)
            self._until = time.monotonic() + seconds - _MARGIN_SECONDS

    def request(self, outgoing: Outgoing) -> Request:
        asked = super().request(outgoing)
        who = ("authorization", f"Bearer {self._token}")
        return Request(asked.method, asked.url, (*asked.headers, who), asked.body)

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        try:
            return super().send(outgoing, deadline)
        except DeliveryError as error:
            if error.code != "UNAUTHENTICATED":
                raise
        # Called back before its time. Of this push nothing was taken, so it goes once more, by another token.
        self._until = 0.0
        self.prepare(deadline)
        return super().send(outgoing, deadline)

    def _fetch(self, deadline: float) -> tuple[str, float]:
        """The token and for how many seconds it holds. No message has been touched by then, whatever happens."""
        url = self._fcm.account.token_uri
        said = urlencode({"grant_type": _GRANT, "assertion": _assertion(self._fcm.account)})
        asked = Request("POST", url, (("content-type", "application/x-www-form-urlencoded"),), said.encode())
        try:
            return _token(self.call(asked, deadline))
        except DeliveryError as error:
            # Of the message the provider has nothing, and nothing is wrong with it.
            error.accepted, error.permanent = "no", False
            raise


def _assertion(account: Account) -> str:
    now = utcnow()
    claims = {
        "iss": account.client_email,
        "scope": _SCOPE,
        "aud": account.token_uri,
        "iat": now,
        "exp": now + _ASSERTED_FOR,
    }
    named = {"kid": account.private_key_id} if account.private_key_id else {}
    return jwt.encode(claims, _key_of(account), algorithm="RS256", headers=named)


def _token(reply: Reply) -> tuple[str, float]:
    said = document(reply)
    match said:
        case {"access_token": str(token), "expires_in": int(seconds)} if reply.status == 200 and _is_token(token):
            return token, float(seconds)
    if reply.status == 200:
        raise DeliveryError("no access token in the reply", blame=Blame.PROVIDER)
    error = refused(reply, str(said.get("error_description", "")), str(said.get("error", "")))
    if reply.status < 500 and error.retry_after is None:
        # invalid_grant and its kin: the account is gone, or its key was taken back.
        error.blame = Blame.SETTINGS
    raise error


def _is_token(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _content(outgoing: Outgoing) -> dict[str, Any]:
    title, text = outgoing.subject.strip(), outgoing.text.strip()
    if not title and not text:
        raise DeliveryError("nothing to say", permanent=True)
    options = outgoing.options
    link, topic = str(options.get("link") or ""), str(options.get("topic") or "")
    shown = {"title": title, "body": text, "image": str(options.get("image") or "")}
    # What the app itself reads; words only.
    data = {"link": link, "message": str(outgoing.message_id or "")}
    said = {
        "notification": _filled(shown),
        "data": _filled(data),
        "android": _android(outgoing, topic),
        "apns": _filled({"headers": _apple(outgoing, topic)}),
        "webpush": _web(outgoing, topic, link),
    }
    return _filled(said)


def _android(outgoing: Outgoing, topic: str) -> dict[str, Any]:
    # Of what waits for the device the newest is kept, and what is shown already gives way to it.
    shown = {"notification": {"tag": topic}} if topic else {}
    priority = {"high": "HIGH", "normal": "NORMAL"}.get(_urgency(outgoing), "")
    return _filled({"collapse_key": topic, "ttl": _ttl(outgoing, "s"), "priority": priority}) | shown


def _apple(outgoing: Outgoing, topic: str) -> dict[str, str]:
    until = outgoing.expires_at
    expires = "" if until is None else str(int(until.timestamp()))
    return _filled({"apns-collapse-id": _short(topic, _LONGEST_APPLE), "apns-expiration": expires})


def _web(outgoing: Outgoing, topic: str, link: str) -> dict[str, Any]:
    name = topic and sha256(topic.encode()).hexdigest()[:_LONGEST_WEB]
    led = {"link": link} if urlsplit(link).scheme == "https" else {}
    headers = _filled({"TTL": _ttl(outgoing), "Topic": name, "Urgency": _urgency(outgoing)})
    return _filled({"headers": headers, "fcm_options": led})


def _urgency(outgoing: Outgoing) -> str:
    return str(outgoing.options.get("urgency") or "")


def _ttl(outgoing: Outgoing, unit: str = "") -> str:
    if outgoing.expires_at is None:
        return ""
    left = min(max(outgoing.expires_at - outgoing.at, timedelta()), _LONGEST_LIFE)
    return f"{int(left.total_seconds())}{unit}"


def _short(name: str, most: int) -> str:
    return name if len(name.encode()) <= most else sha256(name.encode()).hexdigest()[:most]


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value}


def _error(reply: Reply, error: Any) -> DeliveryError:
    """By Firebase's own name of it; where there is none, by Google's."""
    found = error if isinstance(error, dict) else {}
    code, text = _code(found), str(found.get("message", ""))
    answer = refused(reply, text, code)
    if code == "UNREGISTERED":
        answer.says = Happened.BOUNCED
    elif code == "SENDER_ID_MISMATCH":
        # A 403 about this one device, which another project's app has registered: the others need not wait for it.
        answer.permanent, answer.blame = True, Blame.MESSAGE
    elif reply.status == 404:
        # Not the token but the project is none.
        answer.permanent, answer.blame = False, Blame.SETTINGS
    return answer


def _code(error: dict[str, Any]) -> str:
    details = error.get("details")
    for one in details if isinstance(details, list) else ():
        if isinstance(one, dict) and one.get("@type") == _FCM_ERROR and isinstance(one.get("errorCode"), str):
            return str(one["errorCode"])
    return str(error.get("status", ""))
