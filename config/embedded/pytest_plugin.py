"""Brings the embedded servers up before pytest-django reads the settings (`-p` in pyproject.toml)."""

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from . import running


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    os.environ.update(stack.enter_context(running()))
    yield
