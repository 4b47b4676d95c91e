"""Two histories from one seed are one history."""

from typing import Any

import pytest
from django.core.management import call_command

from config.demo import history
from customers import keys
from customers.accept import schemas
from journeys.compiling import version
from tests.demo.test_history import END, SMALL, picture

pytestmark = pytest.mark.slow


def test_the_same_seed_tells_the_same_history(transactional_db: Any) -> None:
    pictures = []
    for _time in range(2):
        history.make(END, SMALL)
        pictures.append(picture())
        call_command("flush", verbosity=0, interactive=False)
        keys.forget()
        schemas.forget()
        # Numbers begin at one again, so that a version's would mean another one.
        version.cache_clear()
    assert pictures[0] == pictures[1]
    assert all(pictures[0].values())
