"""Messages by four providers at once: a journey that writes to each person by every channel, and what came of it.

Mail goes by SMTP, SMS by Twilio, WhatsApp by Meta's API and pushes by a provider that takes idempotency keys. Each is a
process of its own that notes what comes in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from channels.models import Connector, Template, TemplateText, TemplateVersion
from channels.secrets import credentials_aad, seal
from config.loop.mailbox import Mail
from config.loop.smtp_sink import Behaviour
from config.processes import Process, dispatch
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Journey
from journeys.publish import publish
from tests.channels.providers import esp_server, twilio_server, whatsapp_server
from tests.promises.carrier import DROP, FAULT, HANG, MOOD, WELL
from tests.promises.client import Client
from tests.promises.stage import Stage
from tests.promises.waves import tell

PUBLIC: Final = "https://lab.example"
PURPOSE: Final = "news"
_HELLO: Final = "customer.signed_up"
# By connector, its channel and provider. Of mail, SMS and WhatsApp no second call is known for what it is.
CHANNELS: Final = {"mail": "email", "sms": "sms", "whatsapp": "whatsapp", "push": "push"}
# Where it is asked for, mail goes by Mailgun as well.
SERVED: Final = "served"
_CHANNEL_OF: Final = {**CHANNELS, SERVED: "email"}
_PROVIDERS: Final = {"sms": "twilio", "whatsapp": "whatsapp", "push": "keyed", SERVED: "mailgun"}
KEYLESS: Final = ("mail", "sms", "whatsapp")
# What a mail server is told to do by what an address says behind a plus.
_OF_MAIL: Final = {DROP: Behaviour.DROP, HANG: Behaviour.HANG, FAULT: Behaviour.REJECT}


@dataclass(frozen=True, slots=True)
class Troubles:
    """Of how many messages the reply is lost, does not come, or is a fault."""

    drop: float = 0.0
    hang: float = 0.0
    fault: float = 0.0

    def arguments(self) -> tuple[str, ...]:
        return ("--drop", str(self.drop), "--hang", str(self.hang), "--fault", str(self.fault))

    def of(self, place: float) -> str:
        for does, share in ((DROP, self.drop), (HANG, self.hang), (FAULT, self.fault)):
            if place < share:
                return does
            place -= share
        return WELL


@dataclass(frozen=True, slots=True)
class Arrival:
    """`key` is what the provider knows the message by, `to` the address as our rows have it."""

    by: str
    key: str
    to: str
    at: float
    does: str


class Carriers:
    """Starts the web server and the engine on a stage, and begins to send by so many processes."""

    def __init__(
        self,
        stage: Stage,
        senders: int,
        threads: int,
        *,
        delay: float = 0.0,
        troubles: Troubles | None = None,
        concurrency: int = 8,
        fault: str = "",
        journeys: Mapping[str, dict[str, Any]] | None = None,
        by: Sequence[str] = tuple(CHANNELS),
        webs: int = 1,
    ) -> None:
        """With `journeys`, by key, those are live instead of the one that writes to everybody by every channel."""
        self._stage, self._troubles = stage, troubles or Troubles()
        self._files = {one: stage.logs / f"{one}.jsonl" for one in by}
        self.threads = threads
        ports = {one: self._start(one, delay) for one in by}
        self._hosts = {one: f"127.0.0.1:{port}" for one, port in ports.items()}
        self._prepare(ports, concurrency)
        for key, document in (journeys or {"hello": greeting()}).items():
            publish(Journey.objects.create(brand=stage.brand, key=key, name=key), document, by=None, now=utcnow())
        more = {"TRILHA_PUBLIC_URL": PUBLIC, "TRILHA_CALL_HOSTS": ",".join(self._hosts.values())}
        stage.start_web(webs, more)
        stage.start_engine(more)
        environment = stage.environment({**more, "TRILHA_LAB_FAULT": fault})
        self.senders = [
            stage.start(dispatch(threads, environment, stage.logs, f"dispatch-{number}")) for number in range(senders)
        ]
        stage.start_beat()

    def _start(self, by: str, delay: float) -> int:
        record = ("--record", str(self._files[by]), "--delay", str(delay))
        if by == "mail":
            arguments: tuple[str, ...] = ("config.loop.smtp_sink", *record)
        else:
            seed = str(self._stage.chance.random())
            how = ("--kind", _PROVIDERS[by], "--seed", seed, *self._troubles.arguments())
            arguments = ("tests.promises.carrier", *record, *how)
        process = self._stage.start(Process(by, arguments, {}, self._stage.logs))
        self._stage.until(lambda: process.output.read_text().splitlines(), f"the server of {by}")
        return int(process.output.read_text().splitlines()[0])

    def _prepare(self, ports: Mapping[str, int], concurrency: int) -> None:
        brand = self._stage.brand
        brand.sender_name, brand.sender_email = "Lab", "hello@lab.example.com"
        brand.save()
        Purpose.objects.create(brand=brand, key=PURPOSE, name="News", kind=Purpose.Kind.MARKETING)
        self.connectors = {by: self._connector(by, port, concurrency) for by, port in ports.items()}
        for by in ports:
            template = Template.objects.create(brand=brand, key=by, name=by, channel=_CHANNEL_OF[by])
            version = TemplateVersion.objects.create(template=template, number=1)
            options = {"template": "hello", "language": "en"} if by == "whatsapp" else {}
            TemplateText.objects.create(version=version, locale="en", subject="Hello", text="Hello.", options=options)

    def _connector(self, by: str, port: int, concurrency: int) -> Connector:
        url = f"http://127.0.0.1:{port}"
        settings: Mapping[str, tuple[str, dict[str, Any], dict[str, str]]] = {
            "mail": ("smtp", {"host": "127.0.0.1", "port": port, "security": "none"}, {}),
            "sms": ("twilio", {"account_sid": twilio_server.ACCOUNT, "sender": "+15005550006", "base_url": url},
                    {"auth_token": twilio_server.TOKEN}),
            "whatsapp": ("whatsapp", {"phone_number_id": whatsapp_server.NUMBER, "base_url": url},
                         {"access_token": whatsapp_server.TOKEN, "app_secret": whatsapp_server.SECRET}),
            "push": ("keyed", {"base_url": url}, {}),
            SERVED: ("esp", {"service": "mailgun", "base_url": f"{url}/v3", "sender_domain": "acme.example"},
                     {"api_key": esp_server.KEY, "callback_key": esp_server.SIGNING}),
        }  # fmt: skip
        provider, config, credentials = settings[by]
        made = Connector(
            brand=self._stage.brand, key=by, name=by, channel=_CHANNEL_OF[by], provider=provider, config=config,
            concurrency=concurrency,
        )  # fmt: skip
        if credentials:
            made.credentials = seal(credentials, credentials_aad(made.pk))
        made.save()
        return made

    def agree(self, partner: Client, numbers: Iterable[int]) -> None:
        """Have these people known by an address of each channel, and agree to what is sent there."""
        told: list[dict[str, object]] = []
        for number in numbers:
            token = {"device": {"token": address_of("push", number)}}
            named = {"user_id": user(number), "email": self.email_of(number), "phone": address_of("sms", number)}
            told.append({"type": "identify", "identifiers": named, "context": token})
            about = {"purpose": PURPOSE}
            told.append({"name": "consent.granted", "identifiers": {"user_id": user(number)}, "properties": about})
        tell(partner, told)
        self._stage.settle("their consents")

    def greet(self, partner: Client, numbers: Iterable[int], event: str = _HELLO) -> None:
        """Have these people sign up: each is written to by every channel, or as the journey of that event says."""
        tell(partner, [{"name": event, "identifiers": {"user_id": user(number)}} for number in numbers])

    def email_of(self, number: int) -> str:
        does = self._troubles.of((number * 37 % 100) / 100)
        return f"{user(number)}+{_OF_MAIL[does]}@people.example.com" if does != WELL else address_of("mail", number)

    def arrivals(self) -> list[Arrival]:
        return [one for by, path in self._files.items() for one in _read(by, path)]

    def be(self, by: str, mood: str) -> None:
        """Have a provider treat all alike from now on: HANG, FAULT, or "" as before."""
        request = Request(f"http://{self._hosts[by]}{MOOD}", data=mood.encode(), method="POST")
        with urlopen(request, timeout=10):
            pass


def user(number: int) -> str:
    return f"person-{number}"


def address_of(by: str, number: int) -> str:
    if by in ("sms", "whatsapp"):
        return f"+55119{80_000_000 + number:08d}"
    return f"token-of-{user(number)}" if by == "push" else f"{user(number)}@people.example.com"


def _read(by: str, path: Path) -> list[Arrival]:
    """What was written down whole so far."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    said = map(json.loads, lines)
    if by != "mail":
        return [Arrival(by, one["key"], one["to"], one["at"], one["does"]) for one in said]
    of_mail = {behaviour.value: does for does, behaviour in _OF_MAIL.items()}
    return [
        Arrival(by, _id_of(one), one["recipient"].lower(), one["at"], of_mail.get(one["verdict"], WELL)) for one in said
    ]


def _id_of(mail: Mapping[str, Any]) -> str:
    return Mail(mail["recipient"], mail["data"]).header("Message-ID")


def step(by: str, then: str, **more: str) -> dict[str, Any]:
    """A message step by one of them."""
    return {"id": by, "type": "message", "state": "new", "channel": _CHANNEL_OF[by], "connector": by, "template": by,
            "next": then, **more}  # fmt: skip


def journey(*steps: dict[str, Any], event: str = _HELLO) -> dict[str, Any]:
    return {
        "purpose": PURPOSE,
        "states": [{"name": "new", "kind": "initial"}, {"name": "told", "kind": "success"}],
        "transitions": [["new", "told"]],
        "entry": {"event": event},
        "steps": [*steps, {"id": "over", "type": "exit", "state": "told"}],
    }


def greeting(not_later_than: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Who signs up is written to by every channel; by some for so long only."""
    limits = {by: {"not_later_than": span} for by, span in (not_later_than or {}).items()}
    after = [*list(CHANNELS)[1:], "over"]
    return journey(*(step(by, then, **limits.get(by, {})) for by, then in zip(CHANNELS, after, strict=True)))
