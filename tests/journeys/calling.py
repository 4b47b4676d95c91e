"""Journeys that ask another system, which is a real one: a server on this machine that does as a test says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from channels.models import Connector
from channels.secrets import credentials_aad, seal
from journeys.engine.calls.due import call_due
from journeys.models import Call, Run
from tests.channels.web_server import OtherSystem, other_system
from tests.journeys.stage import Stage, welcome

RETRY: dict[str, Any] = {"errors": ["status_5xx", "timeout", "interrupted"], "interval": "PT10S", "max_attempts": 2}


def ask(**more: Any) -> dict[str, Any]:
    step = {"type": "webhook", "id": "ask", "state": "not_activated", "connector": "crm", "path": "/score"}
    return step | {"next": "done"} | more


def asking(*, variables: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """Ask at once; activated if there is a reply, lost where the step says so."""
    steps = [ask(**{"catch": [{"errors": ["all"], "next": "lost"}]} | more), *welcome()["steps"][3:]]
    return welcome(steps=steps, **({"variables": variables} if variables else {}))


@dataclass
class Calling:
    stage: Stage
    system: OtherSystem
    connector: Connector

    def begin(self, document: dict[str, Any], **properties: Any) -> None:
        self.stage.publish(document)
        self.stage.know(plan="pro")
        self.stage.happen("customer.signed_up", properties=properties)

    def call(self) -> bool:
        """Make what is due at this moment, and let the runs that are answered go on."""
        done = call_due(lambda: self.stage.now)
        self.stage.run()
        return done

    def pass_time(self, **span: float) -> None:
        self.stage.pass_time(**span)
        self.call()

    def the_call(self) -> Call:
        return Call.objects.get()

    def the_run(self) -> Run:
        return Run.objects.get()

    def where(self) -> str:
        run = Run.objects.select_related("version").get()
        return str(run.version.definition["steps"][run.step]["id"])

    def bodies(self) -> list[Any]:
        return [json.loads(one.body) if one.body else None for one in self.system.received]


@contextmanager
def other_side(stage: Stage, settings: Any, key: str = "crm", **credentials: str) -> Iterator[Calling]:
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        connector = Connector(brand=stage.brand, key=key, name=key, channel="webhook", provider="webhook")
        connector.config = {"base_url": f"{system.url}/api"}
        connector.credentials = seal(credentials, credentials_aad(connector.pk))
        connector.save()
        yield Calling(stage, system, connector)
