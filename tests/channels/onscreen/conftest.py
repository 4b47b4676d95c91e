"""Fixtures of the on-screen tests."""

from collections.abc import Iterator

import pytest

from customers import clock, keys
from tests.channels.onscreen.stage import NOW, Shop, make_shop


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose pages ask at `NOW`."""
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    yield make_shop()
    keys.forget()
