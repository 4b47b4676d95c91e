"""Two partners of one brand and one of another on a stage in virtual time, each with people of its own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from customers.models import Brand, PartnerToken, Source
from journeys.models import Journey
from tests.customers.partner_api import EVERY_SCOPE, Api, issue
from tests.journeys.stage import Stage, make_stage, welcome


@dataclass(slots=True)
class Partners:
    """`shop` and `till` write for sources of the stage's brand, `rival` for one of another brand."""

    stage: Stage
    shop: Api
    till: Api
    rival: Api
    tokens: dict[str, PartnerToken]

    def journey(self, **entry: Any) -> Journey:
        """The welcome journey, live, which partners may start."""
        document = welcome(entry={"event": "customer.signed_up", "api": True} | entry)
        return self.stage.publish(document).journey

    def know(self, api: Api, user: str = "ana", *, email: bool = True, granted: bool = True, **traits: Any) -> str:
        """Have the partner tell of somebody; return the customer's id."""
        named = {"user_id": user} | ({"email": f"{user}@example.com"} if email else {})
        events: list[dict[str, Any]] = [{"type": "identify", "identifiers": named, "traits": traits}]
        if granted:
            events.append({"name": "consent.granted", "identifiers": named, "properties": {"purpose": "news"}})
        answer = api.post("events/batch", {"events": events}).json()
        assert answer["rejected"] == []
        self.stage.run()
        return self.customer(api, user)

    def customer(self, api: Api, user: str = "ana") -> str:
        found = api.post("customers/lookup", {"identifier": {"kind": "user_id", "value": user}})
        assert found.status_code == 200, found.content
        return str(found.json()["id"])


def make_partners(**narrower: tuple[str, ...]) -> Partners:
    """`narrower` gives a partner fewer scopes than all."""
    stage = make_stage()
    sources = {
        "shop": stage.source,
        "till": Source.objects.create(brand=stage.brand, key="till", name="Till"),
        "rival": Source.objects.create(brand=Brand.objects.create(key="rival", name="Rival"), key="shop", name="Rival"),
    }
    tokens, apis = {}, {}
    for name, source in sources.items():
        tokens[name], plaintext = issue(
            source,
            scopes=narrower.get(name, EVERY_SCOPE),
            name=name,
            now=stage.now,
            expires_at=stage.now + timedelta(days=365),
        )
        apis[name] = Api(plaintext)
    return Partners(stage, apis["shop"], apis["till"], apis["rival"], tokens)
