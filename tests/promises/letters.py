"""Mail as the product sends it: a live journey of two steps for who signs up, and a server that notes what came."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from channels.models import Connector, Template, TemplateText, TemplateVersion
from config.loop.mailbox import read_mails
from config.processes import Process, dispatch
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Journey
from journeys.publish import publish
from tests.promises.stage import Stage

PURPOSE: Final = "news"
STEPS: Final = ("welcome", "hint")
_THREADS = 8


def letter(step: str, state: str, then: str) -> dict[str, Any]:
    """A message step of a journey that is sent here."""
    return {"id": step, "type": "message", "state": state, "channel": "email", "connector": "mail", "template": step,
            "next": then}  # fmt: skip


_DOCUMENT: Final[dict[str, Any]] = {
    "purpose": PURPOSE,
    "states": [{"name": "new", "kind": "initial"}, {"name": "told", "kind": "success"}],
    "transitions": [["new", "told"]],
    "entry": {"event": "customer.signed_up"},
    "steps": [
        *(letter(step, "new", after) for step, after in zip(STEPS, (*STEPS[1:], "over"), strict=True)),
        {"id": "over", "type": "exit", "state": "told"},
    ],
}  # fmt: skip


class Letters:
    """Begins to send on a stage whose web server and engine are up, by so many processes; the mail server takes
    `delay` seconds to answer."""

    def __init__(
        self,
        stage: Stage,
        senders: int = 1,
        delay: float = 0.0,
        *,
        steps: Sequence[str] = STEPS,
        journeys: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        """With `journeys`, by key, those are live instead; each of their message steps has the template of its id."""
        self._record = stage.logs / "mails.jsonl"
        arguments = ("config.loop.smtp_sink", "--record", str(self._record), "--delay", str(delay))
        sink = stage.start(Process("smtp", arguments, {}, stage.logs))
        stage.until(lambda: sink.output.read_text().splitlines(), "the mail server")
        environment = stage.environment({"TRILHA_PUBLIC_URL": stage.url})
        self.senders = [stage.start(dispatch(_THREADS, environment, stage.logs)) for _number in range(senders)]
        stage.start_beat()
        _prepare(stage, int(sink.output.read_text().splitlines()[0]), _THREADS * senders, steps)
        self.journeys = {
            key: _publish(stage, key, document) for key, document in (journeys or {"welcome": _DOCUMENT}).items()
        }

    def arrived(self) -> Counter[tuple[str, str]]:
        """By mailbox and step, how many came; who writes an address in other letters means the same mailbox."""
        return Counter((mail.recipient.lower(), mail.header("Subject")) for mail in read_mails(self._record))

    def times(self) -> list[tuple[str, float]]:
        """Of each that came, its mailbox and when the mail server had it whole."""
        return [(mail.recipient.lower(), mail.at) for mail in read_mails(self._record)]


def signed_up(user: str) -> dict[str, Any]:
    return {"name": "customer.signed_up", "identifiers": {"user_id": user}}


def _prepare(stage: Stage, port: int, threads: int, steps: Sequence[str]) -> None:
    brand = stage.brand
    brand.sender_name, brand.sender_email = "Lab", "hello@lab.example.com"
    brand.save()
    Purpose.objects.create(brand=brand, key=PURPOSE, name="News", kind=Purpose.Kind.MARKETING)
    Connector.objects.create(
        brand=brand, key="mail", name="Mail", channel="email", provider="smtp", concurrency=threads,
        config={"host": "127.0.0.1", "port": port, "security": "none"},
    )  # fmt: skip
    for step in steps:
        template = Template.objects.create(brand=brand, key=step, name=step, channel="email")
        version = TemplateVersion.objects.create(template=template, number=1)
        text = "Here it is. {{ unsubscribe_url }}"
        TemplateText.objects.create(version=version, locale="en", subject=step, html=f"<p>{text}</p>", text=text)


def _publish(stage: Stage, key: str, document: dict[str, Any]) -> Journey:
    journey = Journey.objects.create(brand=stage.brand, key=key, name=key)
    publish(journey, document, by=None, now=utcnow())
    return journey
