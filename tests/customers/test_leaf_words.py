"""Conditions about the past, identifiers and segments as a person would say them, in both languages."""

from typing import Any

import pytest
from django.utils import translation

from customers.authoring.words import rule_words

ABOVE_50 = {"name": "total", "op": "gt", "value": 50}
OFTEN = {"leaf": "event_count", "event": "order.completed", "times": 2, "within": "P30D", "where": [ABOVE_50]}
LONG_AGO = {"leaf": "event_recency", "event": "login", "op": "last_before", "ago": "P30D"}
NEVER = {"leaf": "event_recency", "event": "login", "op": "never"}


@pytest.mark.parametrize(
    ("rule", "english", "portuguese"),
    [
        (
            OFTEN,
            "order.completed (where total is more than 50) happened at least 2 × within the last 30 days",
            "order.completed (em que total é maior que 50) aconteceu pelo menos 2 × nos últimos 30 dias",
        ),
        (
            LONG_AGO,
            "login last happened at least 30 days ago",
            "login aconteceu pela última vez há pelo menos 30 dias",
        ),
        (NEVER, "login never happened", "login nunca aconteceu"),
        (
            {"leaf": "identifier", "name": "email"},
            "has an identifier of kind email",
            "tem um identificador do tipo email",
        ),
        (
            {"not": {"leaf": "segment", "key": "gold"}},
            "not (is in the segment gold)",
            "não (está no segmento gold)",
        ),
        ({"leaf": "segment"}, "is in the segment …", "está no segmento …"),
        ({"leaf": "event_count", "event": "login"}, "login happened at least 1 ×", "login aconteceu pelo menos 1 ×"),
    ],
)
def test_conditions_read_as_sentences(rule: dict[str, Any], english: str, portuguese: str) -> None:
    with translation.override("en"):
        assert rule_words(rule) == english
    with translation.override("pt-br"):
        assert rule_words(rule) == portuguese
