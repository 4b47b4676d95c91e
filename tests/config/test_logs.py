"""Log lines say what happened, not to whom."""

import logging
import sys

import orjson

from config.logs import JsonFormatter


def line(logger: str, message: str, *arguments: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord(logger, logging.WARNING, "x.py", 1, message, arguments, None)
    record.__dict__.update(extra)
    loaded: dict[str, object] = orjson.loads(JsonFormatter().format(record))
    return loaded


def test_our_own_message_is_one_json_object() -> None:
    written = line("journeys.engine", "advanced %d runs", 12)
    assert written.pop("time")
    assert written == {"level": "WARNING", "logger": "journeys.engine", "message": "advanced 12 runs"}


def test_addresses_of_requests_are_left_out() -> None:
    written = line("django.request", "Not Found: %s", "/u/token-of-ana", status_code=404)
    assert (written["message"], written["status"]) == ("Not Found: %s", 404)


def test_the_text_of_an_exception_is_left_out_but_its_place_is_kept() -> None:
    try:
        raise ValueError("Key (email)=(ana@example.com) already exists")
    except ValueError:
        written = line("customers", "failed", exc_info=sys.exc_info())
    assert written["exception"] == "ValueError"
    assert "ana@example.com" not in str(written)
    assert "test_logs.py" in str(written["at"])
