"""What the check lets follow can indeed be read: thousands of random versions, and events that fit them."""

from typing import Any

import jsonschema_rs
import pytest

from customers.registry.compatibility import compare
from tests.customers.registry.made_schemas import Maker, closed

PAIRS = 1_500
EVENTS = 12


def validator(schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(closed(schema))


@pytest.mark.parametrize("seed", range(4))
def test_what_fits_the_old_fits_a_new_one_that_may_follow(seed: int) -> None:
    make = Maker(seed)
    asked = 0
    for _ in range(PAIRS):
        old = make.root()
        new = make.version_after(old) if make.often(8) else make.root()
        if compare(old, new, "backward"):
            continue
        writer, reader = validator(old), validator(new)
        for said in (make.event() for _ in range(EVENTS)):
            if writer.is_valid(said):
                asked += 1
                assert reader.is_valid(said), (old, new, said)
    # The test would show nothing if hardly any pair passed, or hardly any event fitted.
    assert asked > 1_000
