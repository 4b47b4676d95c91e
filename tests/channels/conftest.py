"""Fixtures of the channels tests: a world with the sandbox, or with a real SMTP server that misbehaves."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from config.loop.smtp_sink import SmtpSink
from tests.channels.doubles import Recorder
from tests.channels.world import World, make_world, smtp_config


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def mail_world(db: None, sink: SmtpSink) -> World:
    return make_world("smtp", smtp_config(sink.port))


@pytest.fixture
def short_deadline(settings: Settings) -> float:
    """A provider's deadline that a test can wait for."""
    settings.PROVIDER_DEADLINE_SECONDS = 0.4
    return 0.4


@pytest.fixture
def recorder() -> Iterator[type[Recorder]]:
    """The provider double, with an empty memory."""
    Recorder.forget()
    yield Recorder
    Recorder.forget()
