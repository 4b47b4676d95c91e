"""Web Push: one call to the push service of each browser (RFC 8030), signed by our key (RFC 8292), its words encrypted
for that browser alone (RFC 8291).

Push services know no idempotency key and call nobody back; the browser's worker does, by a token that is in the push.
Each push has a topic of its own where its template names
none: of a push that is repeated, a service that still holds the first drops it, and the browser shows one of them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Blame, CallsBack, ConfigurationError, DeliveryError, Outgoing, Settings
from channels.providers.http import HttpProvider, HttpSession, refused
from channels.push import telling
from channels.push.encryption import MOST_PLAIN, encrypt
from channels.push.endpoints import SERVICES, BadEndpoint, is_among, normal, origin_of
from channels.push.kinds import Kind
from channels.push.known import Known
from channels.push.points import new_private, private_of, public_of
from channels.push.vapid import Vapid
from channels.receipts.told import Callback, Happened, Reading
from channels.web import Reply, Request
from customers.hints import DERIVED, form
from customers.models.address import Channel

# Firebase, which serves most browsers, refuses more.
_LONGEST_LIFE: Final = timedelta(days=28)
# RFC 8030 §5.4.
_LONGEST_TOPIC: Final = 32
_GONE: Final = frozenset({404, 410})
_TOO_LARGE: Final = 413
_NOT_KNOWN: Final = frozenset({401, 403})
_OTHER_KEY: Final = "other_key"
# So many subscriptions say the same before it is thought to be about us, or about their service.
_SEVERAL: Final = 3


class WebPushConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    contact: Annotated[
        str, form(_("contact"), _("Whom a push service writes to when something is wrong: mailto:… or https://…."))
    ]
    icon: Annotated[str, form(_("icon"), _("Beside each notification: an address that begins with https://."))] = ""
    services: Annotated[
        str,
        form(
            _("push services"),
            _("Hosts to which pushes are sent, and those below them. Empty: any public one that a page names."),
        ),
    ] = SERVICES
    public_key: Annotated[str, form(kind=DERIVED)] = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.contact)
        if not (parts.scheme == "mailto" and "@" in parts.path) and not (parts.scheme == "https" and parts.hostname):
            raise ValueError(gettext("The contact is an address that begins with mailto: or https://."))
        if self.icon and urlsplit(self.icon).scheme != "https":
            raise ValueError(gettext("The icon’s address begins with https://."))


class WebPushCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    private_key: Annotated[
        str,
        form(
            _("private key"),
            _(
                "Empty: a new pair is made. Only who moves here with subscriptions brings one (base64url, 32 bytes). "
                "With another key, browsers that have subscribed are not reached until they are back on a page."
            ),
        ),
    ]

    def __post_init__(self) -> None:
        if not _is_key(self.private_key):
            raise ValueError(gettext("This is no private key of P-256 in base64url."))


class WebPush(HttpProvider, CallsBack):
    key = "webpush"
    label = _("Web Push")
    channels: ClassVar = frozenset({Channel.PUSH})
    reaches: ClassVar = frozenset({Kind.BROWSER})
    # Who has subscribed there is known to each push service, and to nobody without an endpoint.
    can_be_tried = False
    # Not the push service calls back, which knows nothing of that, but the browser's worker.
    asks_for_address = False
    Config = WebPushConfig
    Credentials = WebPushCredentials

    @classmethod
    def completed(cls, config: Settings, credentials: Settings) -> tuple[Settings, Settings]:
        """A pair of keys where there is none; the public one follows from the private."""
        private = credentials.get("private_key") or new_private()
        public = public_of(private) if _is_key(private) else ""
        return {**config, "public_key": public}, {**credentials, "private_key": private}

    @classmethod
    def facts(cls, config: Settings) -> list[tuple[Any, str]]:
        home, public = settings.TRILHA_PUBLIC_URL.rstrip("/"), config.get("public_key", "")
        line = (
            f'<script async src="{home}/js/trilha-push.js" data-key="pub_live_…" data-public-key="{public}"></script>'
        )
        return [
            (_("public key"), public),
            (_("line for the pages, below that of trilha.js"), line),
            (_("the whole of trilha-sw.js, at the root of the site"), f'importScripts("{home}/js/trilha-sw.js");'),
        ]

    def __init__(self, config: WebPushConfig, credentials: WebPushCredentials) -> None:
        super().__init__(config, credentials)
        self.services = config.services.split()
        if public_of(credentials.private_key) != config.public_key:
            raise ConfigurationError(gettext("The public key is not that of the private key."))

    def session(self) -> "WebPushSession":
        return WebPushSession(self)

    def request(self, outgoing: Outgoing) -> Request:
        """But for the signature, which the session holds."""
        if outgoing.keys is None:
            raise DeliveryError("no_subscription", code="no_subscription", permanent=True)
        told = {}
        if outgoing.message_id is not None and outgoing.callback_url:
            token = telling.token_of(self.credentials.private_key, outgoing.message_id)
            told = {"tell": outgoing.callback_url, "token": token}
        body = encrypt(_plain(outgoing, self.config.icon, told), outgoing.keys.p256dh, outgoing.keys.auth)
        headers = (
            ("content-type", "application/octet-stream"),
            ("content-encoding", "aes128gcm"),
            ("ttl", str(_seconds(outgoing))),
            ("urgency", str(outgoing.options.get("urgency") or "normal")),
            ("topic", _topic(outgoing)),
        )
        return Request("POST", self.endpoint(outgoing.to), headers, body)

    def endpoint(self, told: str) -> str:
        """Where it goes; not whatever a page once said, should what may be called have changed since."""
        try:
            endpoint = normal(told)
        except BadEndpoint:
            endpoint = ""
        if not endpoint or not is_among(endpoint, self.services):
            raise DeliveryError("not_a_push_service", code="not_a_push_service", permanent=True)
        return endpoint

    def verify(self, callback: Callback, now: datetime) -> None:
        telling.verify(self.credentials.private_key, callback)

    def told(self, callback: Callback) -> Reading:
        return telling.told(callback)

    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        if 200 <= reply.status < 300:
            # Where the message lies at the push service, for those that tell.
            return Accepted(reply.headers.get("location", "")[:200])
        raise _error(reply)


class WebPushSession(HttpSession):
    def __init__(self, provider: WebPush) -> None:
        super().__init__(provider)
        self._push = provider
        self._vapid = Vapid(provider.credentials.private_key, provider.config.contact)
        self._known = Known(provider.config.public_key, is_kept=bool(provider.services))
        # Subscriptions of this batch at which we were nobody, and by service those that were told to wait.
        self._strange: set[str] = set()
        self._busy: dict[str, set[str]] = {}

    def meet(self, outgoing: Outgoing, deadline: float) -> None:
        endpoint = self._push.endpoint(outgoing.to)
        try:
            self._line(endpoint, deadline)
        except DeliveryError as error:
            self._judge(error, origin_of(endpoint), endpoint)
            raise

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        asked = self.request(outgoing)
        origin = origin_of(asked.url)
        signed = ("authorization", self._vapid.authorization(origin, outgoing.at))
        try:
            reply = self.call(Request(asked.method, asked.url, (*asked.headers, signed), asked.body), deadline)
            accepted = self._provider.read(reply, outgoing)
        except DeliveryError as error:
            self._judge(error, origin, asked.url)
            raise
        self._known.took(origin)
        self._busy.pop(origin, None)
        return accepted

    def close(self) -> None:
        super().close()
        self._known.keep()

    def _judge(self, error: DeliveryError, origin: str, endpoint: str) -> None:
        """Anybody may subscribe, with an endpoint that leads nowhere or was made for another key: what is wrong with
        one is no reason to rest for all others."""
        if error.code == _OTHER_KEY:
            self._judge_stranger(error, origin, endpoint)
        elif error.blame is Blame.SETTINGS or not self._push.services or origin not in self._known:
            error.blame = Blame.MESSAGE
        elif error.retry_after is not None:
            told = self._busy.setdefault(origin, set())
            told.add(endpoint)
            error.blame = Blame.PROVIDER if len(told) >= _SEVERAL else Blame.MESSAGE

    def _judge_stranger(self, error: DeliveryError, origin: str, endpoint: str) -> None:
        if origin in self._known:
            # Others went through by the same signature: it is this subscription that was made with another key.
            return
        error.permanent, error.code = False, ""
        self._strange.add(endpoint)
        if self._push.services and len(self._strange) >= _SEVERAL and not self._known:
            error.blame = Blame.SETTINGS


def _error(reply: Reply) -> DeliveryError:
    # What a service says in words is for people, and may quote the endpoint.
    if reply.status in _GONE:
        error = DeliveryError(f"{reply.status} subscription_gone", code="subscription_gone", permanent=True)
        error.says = Happened.BOUNCED
        return error
    if reply.status in _NOT_KNOWN:
        return DeliveryError(f"{reply.status} {_OTHER_KEY}", code=_OTHER_KEY, permanent=True)
    if reply.status == _TOO_LARGE:
        return refused(reply, "", "payload_too_large")
    error = refused(reply)
    if error.blame is Blame.SETTINGS:
        # A push service sends nobody elsewhere (3xx) and is no proxy (407): it is none.
        error.blame, error.permanent = Blame.MESSAGE, True
    return error


def _plain(outgoing: Outgoing, icon: str, told: Mapping[str, str]) -> bytes:
    """What the service worker reads (`customers/browser/trilha-sw-….js`)."""
    title, text = outgoing.subject.strip(), outgoing.text.strip()
    if not title and not text:
        raise DeliveryError("nothing to say", permanent=True)
    options = outgoing.options
    said = {
        "title": title or outgoing.sender_name,
        "body": text,
        "icon": icon,
        "image": str(options.get("image") or ""),
        "link": str(options.get("link") or ""),
        "tag": str(options.get("topic") or outgoing.key),
        "lang": outgoing.locale,
        "message": str(outgoing.message_id or ""),
        **told,
    }
    plain = msgspec.json.encode({"trilha": 1} | {name: value for name, value in said.items() if value})
    if len(plain) > MOST_PLAIN:
        said_size = f"payload_too_large: {len(plain)} bytes of {MOST_PLAIN}"
        raise DeliveryError(said_size, code="payload_too_large", permanent=True)
    return plain


def _seconds(outgoing: Outgoing) -> int:
    if outgoing.expires_at is None:
        return int(_LONGEST_LIFE.total_seconds())
    return int(min(max(outgoing.expires_at - outgoing.at, timedelta()), _LONGEST_LIFE).total_seconds())


def _topic(outgoing: Outgoing) -> str:
    named = str(outgoing.options.get("topic") or "")
    return sha256(named.encode()).hexdigest()[:_LONGEST_TOPIC] if named else outgoing.key.hex


def _is_key(private: str) -> bool:
    try:
        private_of(private)
    except ValueError:
        return False
    return True
