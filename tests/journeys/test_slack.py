"""A webhook step whose connector is Slack: what it is told, and that its way to say no is understood."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation
from slack_sdk import WebClient

from channels.providers.base import ConfigurationError, build
from channels.providers.slack import Slack
from channels.secrets import credentials_aad, seal
from journeys.models import CallContent, Variable
from tests.channels.web_server import Handler
from tests.journeys.calling import Calling, asking, other_side
from tests.journeys.stage import T0, Stage

TOKEN = "xoxb-1234-secret"
CHANNEL = "C0123456789"
POST: dict[str, Any] = {
    "path": "/chat.postMessage",
    "data": [{"name": "text", "property": "plan"}, {"name": "unfurl_links", "value": False}],
}
# Channels of which it has something else to say, and by which name.
ERRORS = {
    "C0NOWHERE": "channel_not_found",
    "C0CLOSED": "is_archived",
    "C0ALIEN": "not_in_channel",
    "C0LAME": "fatal_error",
}


def answers_like_slack(handler: Handler) -> None:
    """https://api.slack.com/methods/chat.postMessage: 200 whatever it thinks, but where calls come too fast."""
    asked = handler.asked
    said = json.loads(asked.body)
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        answer: dict[str, Any] = {"ok": False, "error": "invalid_auth"}
    elif asked.path != "/api/chat.postMessage":
        answer = {"ok": False, "error": "unknown_method", "req_method": asked.path}
    elif not said.get("text"):
        answer = {"ok": False, "error": "no_text"}
    elif error := ERRORS.get(said.get("channel", "")):
        answer = {"ok": False, "error": error}
    else:
        answer = {"ok": True, "channel": said["channel"], "ts": "1503435956.000247", "message": {"text": said["text"]}}
    body = json.dumps(answer).encode()
    handler.send_response(200)
    handler.send_header("content-type", "application/json; charset=utf-8")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def slack(stage: Stage, settings: Any) -> Iterator[Calling]:
    with other_side(stage, settings) as one:
        one.connector.provider = "slack"
        one.connector.config |= {"channel": CHANNEL}
        log_in(one, TOKEN)
        one.system.answers = [answers_like_slack]
        yield one


def log_in(slack: Calling, token: str) -> None:
    slack.connector.credentials = seal({"bot_token": token}, credentials_aad(slack.connector.pk))
    slack.connector.save()


def said_no(slack: Calling) -> tuple[str, str, int | None]:
    call = slack.the_call()
    return call.state, call.error, call.status


def test_a_journey_tells_a_channel(slack: Calling) -> None:
    slack.begin(asking(**POST), plan="Ana wants the gold plan")
    slack.call()
    [asked] = slack.system.received
    assert (asked.method, asked.path) == ("POST", "/api/chat.postMessage")
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    assert slack.bodies() == [{"text": "Ana wants the gold plan", "unfurl_links": False, "channel": CHANNEL}]
    assert (slack.where(), slack.the_call().state) == ("done", "answered")


def test_it_is_what_slacks_own_library_says(slack: Calling) -> None:
    slack.begin(asking(**POST), plan="Ana wants the gold plan")
    slack.call()
    client = WebClient(TOKEN, base_url=f"{slack.system.url}/api/")
    client.chat_postMessage(channel=CHANNEL, text="Ana wants the gold plan", unfurl_links=False)
    ours, theirs = slack.system.received
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert json.loads(ours.body) == json.loads(theirs.body)


def test_a_step_may_name_another_channel_and_keep_the_reply(slack: Calling) -> None:
    data = [*POST["data"], {"name": "channel", "value": "C9"}]
    reply = [{"variable": "thread", "pointer": "/ts"}]
    declared = [{"name": "thread", "kind": "text"}]
    slack.begin(asking(path=POST["path"], data=data, reply=reply, variables=declared), plan="gold")
    slack.call()
    assert slack.bodies()[0]["channel"] == "C9"
    assert Variable.objects.get(run=slack.the_run()).text == "1503435956.000247"


@pytest.mark.parametrize(
    ("channel", "status"), [("C0NOWHERE", 404), ("C0CLOSED", 410), ("C0ALIEN", 403), ("C0LAME", 500)]
)
def test_a_no_within_a_200_is_an_error_by_the_usual_names(slack: Calling, channel: str, status: int) -> None:
    slack.connector.config |= {"channel": channel}
    slack.connector.save()
    slack.begin(asking(**POST), plan="gold")
    slack.call()
    assert said_no(slack) == ("failed", f"status_{status}", status)
    assert slack.where() == "lost"
    assert ERRORS[channel] in CallContent.objects.get().reply


def test_what_slack_has_no_name_for_here_is_a_no_to_this_call(slack: Calling) -> None:
    slack.begin(asking(**POST))
    slack.call()
    assert said_no(slack) == ("failed", "status_400", 400)


def test_a_token_that_is_revoked_is_unauthorized(slack: Calling) -> None:
    log_in(slack, "xoxb-old")
    slack.begin(asking(**POST), plan="gold")
    slack.call()
    assert said_no(slack) == ("failed", "status_401", 401)


def test_the_wish_for_a_pause_is_granted(slack: Calling) -> None:
    slack.system.answers = []
    slack.system.answer(429, b'{"ok": false, "error": "ratelimited"}', retry_after="30")
    slack.system.answers.append(answers_like_slack)
    retry = [{"errors": ["status_429"], "interval": "PT1S", "max_attempts": 2}]
    slack.begin(asking(**POST, retry=retry), plan="gold")
    slack.call()
    slack.pass_time(seconds=29)
    assert len(slack.system.received) == 1
    slack.pass_time(seconds=2)
    assert (len(slack.system.received), slack.where()) == (2, "done")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"ok": "yes"}'])
def test_what_is_not_slacks_is_a_bad_gateway(slack: Calling, body: bytes) -> None:
    slack.system.answers = []
    slack.system.answer(200, body)
    slack.begin(asking(**POST), plan="gold")
    slack.call()
    assert said_no(slack) == ("failed", "status_502", 502)


def test_the_token_is_nowhere_to_be_read(slack: Calling) -> None:
    slack.system.answers = []
    slack.system.answer(200, json.dumps({"ok": False, "error": "invalid_auth", "token": TOKEN}).encode())
    slack.begin(asking(**POST), plan="gold")
    slack.call()
    assert TOKEN not in CallContent.objects.get().reply
    assert "•••" in CallContent.objects.get().reply


def test_other_methods_are_asked_as_they_are() -> None:
    service = build("slack", {"channel": CHANNEL}, {"bot_token": TOKEN})
    assert isinstance(service, Slack)
    asked = service.request(
        "POST", "/reactions.add", {"authorization": "x", "x-a": "1"}, b'{"name": "tada"}', UUID(int=1), T0
    )
    assert (asked.url, asked.body) == ("https://slack.com/api/reactions.add", b'{"name": "tada"}')
    assert dict(asked.headers)["authorization"] == f"Bearer {TOKEN}"
    assert dict(asked.headers)["x-a"] == "1"
    asked = service.request("GET", "/auth.test", {}, b"", UUID(int=1), T0)
    assert [name for name, _value in asked.headers] == ["authorization"]


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é"])
def test_a_token_is_one_word(token: str) -> None:
    with translation.override("en"), pytest.raises(ConfigurationError, match="This is no token"):
        build("slack", {}, {"bot_token": token})
