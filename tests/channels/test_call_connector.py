"""The connector of another system: what its settings may say, and what a call made by it says."""

from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from channels.providers.base import ConfigurationError, build
from channels.providers.webhook import Webhook
from tests.journeys.stage import T0

KEY = UUID(int=7)


def made(config: dict[str, Any] | None = None, **credentials: str) -> Webhook:
    service = build("webhook", {"base_url": "https://crm.example/api"} | (config or {}), credentials)
    assert isinstance(service, Webhook)
    return service


def said(service: Webhook, body: bytes = b"{}", headers: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return sorted(service.request("POST", "/x", headers or {}, body, KEY, T0).headers)


def test_each_header_is_said_once_however_it_is_written() -> None:
    config = {"headers": {"Content-Type": "application/vnd.api+json", "Idempotency-Key": "ours", "X-Kind": "crm"}}
    theirs = {"authorization": "theirs", "x-kind": "journey"}
    assert said(made(config, authorization="Bearer t0ken"), headers=theirs) == [
        ("Authorization", "Bearer t0ken"),
        ("Content-Type", "application/vnd.api+json"),
        ("X-Kind", "crm"),
        ("idempotency-key", str(KEY)),
    ]
    assert said(made()) == [("content-type", "application/json"), ("idempotency-key", str(KEY))]
    assert said(made(), b"") == [("idempotency-key", str(KEY))]


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "a b", "x\r\ny", ""])
def test_what_the_connection_says_itself_cannot_be_set(name: str) -> None:
    for config in ({"headers": {name: "1"}}, {"authorization_header": name}):
        with pytest.raises(ConfigurationError):
            made(config)


@pytest.mark.parametrize(
    ("config", "credentials", "words"),
    [
        ({"base_url": "http://crm.example"}, {}, "O endereço base não pode ser chamado: só se chama https"),
        ({"base_url": "https://crm.example/?a=1"}, {}, "O endereço base não tem consulta nem fragmento."),
        ({"headers": {"Host": "a"}}, {}, "O cabeçalho “Host” não pode ser definido."),
        ({}, {"authorization": "a\nb"}, "O que o cabeçalho diz não cabe em um cabeçalho."),
        ({}, {"signing_secret": "whsec_?"}, "O segredo de assinatura não é o que seu início diz."),
    ],
)
def test_what_does_not_fit_is_said_in_the_readers_language(
    config: dict[str, Any], credentials: dict[str, str], words: str
) -> None:
    with translation.override("pt-br"), pytest.raises(ConfigurationError, match=words.replace("?", r"\?")):
        made(config, **credentials)


def test_its_secrets_are_known_as_they_may_be_repeated() -> None:
    assert made(authorization="Bearer a/b+c").secrets == ("Bearer a\\/b+c", "Bearer a/b+c", "a\\/b+c", "a/b+c")
    assert made(authorization="Token 1").secrets == ("Token 1",)
    assert made().secrets == ()


def test_what_its_further_headers_say_is_secret_unless_it_is_short_or_plain() -> None:
    headers = {"X-Api-Key": "Key abcdefgh", "X-Short": "1234567", "User-Agent": "somebody of ours"}
    assert made({"headers": headers}).secrets == ("Key abcdefgh", "abcdefgh")
