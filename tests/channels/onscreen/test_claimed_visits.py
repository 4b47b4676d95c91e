"""A page may claim to be anybody's, and is written nothing of theirs for it; what servers join is reached."""

from typing import Any

import orjson
import pytest
from django.test import Client

from channels.dispatch import dispatch_due
from channels.models import Message
from consent.permission import Want, choose_addresses
from customers import keys
from customers.models import Assurance, Edge, Identifier, Profile, VisitorSecret
from journeys.engine.drain import work_through
from tests.channels.onscreen.stage import NOW, ORIGIN, Shop, join, state


def say(shop: Shop, client: Client, key: str, *, page: bool, **said: Any) -> None:
    """One identify through the real door, worked off."""
    body = orjson.dumps({"writeKey": key, "batch": [{"type": "identify", "messageId": str(said), **said}]})
    headers = {"Origin": ORIGIN} if page else {}
    answer = client.post("/v1/batch", body, content_type="text/plain" if page else "application/json", headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    while work_through(lambda: NOW, {}):
        pass


def server(shop: Shop, client: Client, **said: Any) -> None:
    say(shop, client, keys.issue(shop.source)[1], page=False, **said)


def page(shop: Shop, client: Client, **said: Any) -> None:
    say(shop, client, shop.key.public, page=True, **said)


def profile(value: str) -> Profile:
    return Identifier.objects.get(value=value, closed_at=None).profile


def reached(shop: Shop, who: Profile, channel: str = "in_app") -> Profile | None:
    who.refresh_from_db()
    [choice] = choose_addresses([Want(who.customer_id, channel, shop.purpose.pk)], NOW)[0]
    return None if choice.profile_id is None else Profile.objects.get(pk=choice.profile_id)


@pytest.mark.parametrize("channel", ["in_app", "web"])
def test_a_browser_that_claims_to_be_somebody_is_written_nothing_of_theirs(
    shop: Shop, client: Client, channel: str
) -> None:
    server(shop, client, userId="ana", traits={"first_name": "Ana"})
    page(shop, client, anonymousId="evil", userId="ana")
    ana, evil = profile("ana"), profile("evil")
    assert (ana.customer_id, Edge.objects.get().assurance) == (evil.customer_id, Assurance.CLAIMED)
    assert reached(shop, ana, channel) == ana

    VisitorSecret.objects.update(ended_at=NOW)

    assert reached(shop, ana, channel) is None


def test_the_browser_on_which_a_server_saw_them_is_reached(shop: Shop, client: Client) -> None:
    server(shop, client, anonymousId="a-1", userId="ana")
    page(shop, client, anonymousId="evil", userId="ana")
    VisitorSecret.objects.update(ended_at=NOW)

    assert reached(shop, profile("ana")) == profile("a-1")
    assert profile("evil").customer_id == profile("ana").customer_id


def test_who_logs_in_as_themselves_and_claims_to_be_another_is_written_nothing_of_theirs(
    shop: Shop, client: Client
) -> None:
    """The thief's own mail address is sure, and theirs; Ana's name is not."""
    server(shop, client, userId="ana", traits={"first_name": "Ana"})
    server(shop, client, anonymousId="evil", traits={"email": "thief@example.com"})
    page(shop, client, anonymousId="evil", userId="ana")
    VisitorSecret.objects.update(ended_at=NOW)
    assert profile("thief@example.com").customer_id == profile("ana").customer_id

    assert reached(shop, profile("ana")) is None


def test_with_a_secret_what_is_theirs_waits_under_the_name_by_which_they_sign_in(shop: Shop, client: Client) -> None:
    """Whatever browser claimed it last."""
    server(shop, client, userId="ana", traits={"first_name": "Ana"})
    page(shop, client, anonymousId="evil", userId="ana")
    shop.grant(profile("ana"))
    message = shop.write(profile("ana").customer)

    dispatch_due(shop.connectors["in_app"].pk, NOW)

    assert (state(message), Message.objects.get(pk=message).profile_id) == ("sent", profile("ana").pk)
    assert shop.inbox(client, anonymousId="evil")["unread"] == 0
    assert shop.inbox(client, token=shop.token("ana"))["unread"] == 1


def test_an_edge_that_is_not_followed_is_none(shop: Shop) -> None:
    ana = shop.profile(shop.customer(), "email", "ana@example.com")
    visit = shop.profile(ana.customer, "anonymous_id", "a-1")
    assert reached(shop, ana) is None
    join(ana, visit, Assurance.LOGIN)
    assert reached(shop, ana) == visit

    Edge.objects.update(skipped=True)

    assert reached(shop, ana) is None


def test_an_anonymous_visitor_is_reached_by_their_latest_visit(shop: Shop, client: Client) -> None:
    page(shop, client, anonymousId="a-1", traits={"first_name": "Ana"})
    assert reached(shop, profile("a-1")) == profile("a-1")
