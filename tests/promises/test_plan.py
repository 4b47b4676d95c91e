"""Which promises are put to the test, and when a control must be."""

import pytest

from tests.promises.plan import Promise, UnknownPromise, chosen, needs_controls


def promise(key: str) -> Promise:
    return Promise(key, key, lambda _stage: [], ("a control",), ("customers/accept/",))


PROMISES = [promise(key) for key in ("P1", "P2", "P3", "P26")]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("", ["P1", "P2", "P3", "P26"]),
        ("P2", ["P2"]),
        ("p26,P1", ["P1", "P26"]),
        ("P2-P9", ["P2", "P3"]),
        ("P1-P2,P26", ["P1", "P2", "P26"]),
    ],
)
def test_promises_are_named_one_by_one_or_as_a_range(asked: str, keys: list[str]) -> None:
    assert [one.key for one in chosen(PROMISES, asked)] == keys


@pytest.mark.parametrize("asked", ["P99", "everything", "P1-everything"])
def test_what_names_no_promise_is_refused(asked: str) -> None:
    with pytest.raises(UnknownPromise):
        chosen(PROMISES, asked)


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        (["customers/accept/store.py"], True),
        (["tests/promises/proxy.py"], True),
        (["journeys/publish.py", "README.md"], False),
        ([], False),
        (None, True),
    ],
)
def test_controls_are_run_when_what_the_promise_rests_on_has_changed(changed: list[str] | None, needed: bool) -> None:
    assert needs_controls(PROMISES[0], changed) is needed
