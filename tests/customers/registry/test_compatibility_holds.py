"""What the check lets follow can indeed be read: property tests over random schemas, versions and events."""

from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from customers.registry.compatibility import compare
from tests.customers.registry.made_schemas import NAMES, changed, closed, roots, values

EVENTS = st.dictionaries(NAMES, values(), max_size=3)


def fits(schema: Any, said: Any) -> bool:
    return jsonschema_rs.Draft202012Validator(closed(schema)).is_valid(said)


@settings(max_examples=3000, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_fits_the_old_fits_a_new_one_that_may_follow(data: st.DataObject) -> None:
    old = data.draw(roots())
    new = data.draw(st.one_of(changed(old), roots()))
    may_follow = not compare(old, new, "backward")
    event(f"may follow: {may_follow}")
    assume(may_follow)
    said = data.draw(EVENTS)
    assume(fits(old, said))
    event("asked with an event that fits")
    assert fits(new, said)
