"""Documents of journeys as hypothesis makes them: every step type there is, rules of every shape, odd names."""

from typing import Any

from hypothesis import strategies as st

from customers.rules.leaf import leaf_kinds

# Names as people should write them, and as they should not, but might.
tidy_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,8}", fullmatch=True)
odd_names = st.sampled_from(["<b>bold</b>", 'a"b', "it's", "ção", "a b", "a/b", "&amp;", "~was", "+", "0"])
names = tidy_names | odd_names
lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=12)
durations = st.integers(1, 10**7).map(lambda seconds: f"PT{seconds}S") | st.sampled_from(
    ["P1D", "PT30M", "PT1.5H", "P2DT3H", "PT0.5S", "PT24H"]
)
scalars = (
    lines
    | st.sampled_from(["", " x ", "a\nb", "null", "true", "12", "</textarea>"])
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    kind = st.sampled_from(sorted(leaf_kinds()))
    compared = st.fixed_dictionaries(
        {
            "leaf": kind,
            "name": names,
            "op": st.sampled_from(["eq", "ne", "lt", "in", "contains", "starts_with"]),
            "value": scalars | st.lists(scalars, min_size=1, max_size=3),
        }
    )
    known = st.fixed_dictionaries({"leaf": kind, "name": names, "op": st.sampled_from(["exists", "missing"])})
    return compared | known


rules = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)


def matches(
    needed: dict[str, st.SearchStrategy[Any]] | None = None, **spare: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"event": names} | (needed or {}), optional={"rule": rules, "key": names} | spare)


def giving(ids: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    assigned = st.fixed_dictionaries({"variable": names, "property": names})
    return matches({"next": ids}, sets=st.lists(assigned, min_size=1, max_size=2))


variables = st.lists(
    st.fixed_dictionaries(
        {"name": names, "kind": st.sampled_from(["text", "number", "boolean", "moment"])},
        optional={"property": names, "default": scalars},
    ),
    min_size=1,
    max_size=2,
)


def delay_fields(ids: st.SearchStrategy[str]) -> dict[str, st.SearchStrategy[Any]]:
    numbers = st.integers(-400, 400)
    moment = st.fixed_dictionaries(
        {"source": st.sampled_from(["event", "trait"]), "name": names, "past": ids},
        optional={"days": numbers, "time": lines},
    )
    return {
        "after": durations,
        "on_calendar": optional(months=numbers, weeks=numbers, days=numbers),
        "until": moment,
        "hours": optional(days=lines, opens=lines, closes=lines),
    }


errors = st.lists(st.sampled_from(["timeout", "status_404", "status_5xx", "all", "odd"]), min_size=1, max_size=2)


def calling(ids: st.SearchStrategy[str]) -> dict[str, st.SearchStrategy[Any]]:
    said = st.fixed_dictionaries(
        {"name": names},
        optional={
            "place": st.sampled_from(["body", "query", "path", "header"]),
            "value": scalars,
            "property": names,
            "trait": names,
            "variable": names,
        },
    )
    taken = st.fixed_dictionaries({"variable": names, "pointer": lines}, optional={"optional": st.booleans()})
    retrier = st.fixed_dictionaries(
        {"errors": errors},
        optional={
            "interval": durations,
            "max_attempts": st.integers(-1, 200),
            "backoff_rate": st.floats(0, 20, width=16),
            "max_delay": durations,
            "jitter": st.sampled_from(["none", "full"]),
        },
    )
    return {
        "method": st.sampled_from(["POST", "GET", "PUT", "PATCH", "DELETE"]),
        "data": st.lists(said, min_size=1, max_size=2),
        "time_out": durations,
        "within": durations,
        "reply": st.lists(taken, min_size=1, max_size=2),
        "retry": st.lists(retrier, min_size=1, max_size=2),
        "catch": st.lists(st.fixed_dictionaries({"errors": errors, "next": ids}), min_size=1, max_size=2),
    }


def steps(ids: st.SearchStrategy[str], states: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    def step(type_: str, needed: dict[str, Any], spare: dict[str, Any] | None = None) -> Any:
        fields = {"type": st.just(type_), "id": ids, "state": states, **needed}
        return st.fixed_dictionaries(fields, optional=spare or {})

    branch = st.fixed_dictionaries({"rule": rules, "next": ids})
    timeout = st.fixed_dictionaries({"after": durations, "next": ids})
    words = {"channel": names, "connector": names, "next": ids}
    variant = st.fixed_dictionaries({"key": names, "template": names, "share": st.integers(-5, 120)})
    return st.one_of(
        step("delay", {"next": ids}, delay_fields(ids)),
        step("exit", {}, {"outcome": lines}),
        step(
            "hold",
            {"branches": st.lists(matches({"next": ids}) | giving(ids), max_size=2), "timeout": timeout},
            {
                "since": st.sampled_from(["entry", "step"]),
                "take": st.sampled_from(["first", "best"]),
                "reset": matches() | matches(most=st.integers(-1, 200)),
            },
        ),
        step(
            "random_split",
            {
                "arms": st.lists(
                    st.fixed_dictionaries(
                        {"name": names, "share": st.integers(-5, 120), "next": ids},
                        optional={"holdout": st.booleans()},
                    ),
                    max_size=3,
                )
            },
            {"unit": st.sampled_from(["person", "run"])},
        ),
        step(
            "go_to",
            {"journey": names, "next": ids, "refused": ids},
            {
                "data": st.lists(
                    st.fixed_dictionaries({"name": names}, optional={"value": scalars, "property": names}), max_size=2
                )
            },
        ),
        step(
            "update",
            {
                "changes": st.lists(
                    st.fixed_dictionaries(
                        {"trait": names},
                        optional={"do": st.sampled_from(["set", "add", "clear"]), "value": scalars, "property": names},
                    ),
                    max_size=2,
                ),
                "next": ids,
            },
        ),
        step("webhook", {"connector": names, "path": lines, "next": ids}, calling(ids)),
        step("split", {"branches": st.lists(branch, max_size=2), "otherwise": ids}),
        step(
            "message",
            words,
            {
                "template": names,
                "variants": st.lists(variant, max_size=3),
                "purpose": names,
                "not_later_than": durations,
                "cancel_on": st.lists(matches(), max_size=2),
                "touchpoint": st.uuids().map(str),
            },
        ),
    )


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Definitions that decode, whether or not they may be published."""
    state_names = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    states = st.sampled_from(state_names)
    ids = names
    kinds = st.sampled_from(["initial", "active", "success", "failure"])
    exits = {"state": states, "outcome": lines}
    document = {
        "purpose": draw(names),
        "states": [{"name": name} | draw(optional(kind=kinds)) for name in state_names],
        "transitions": draw(st.lists(st.tuples(states, states).map(list), max_size=5)),
        "entry": {"event": draw(names)}
        | draw(
            optional(
                rule=rules,
                key=names,
                reentry=st.sampled_from(["never", "always", "after"]),
                reentry_after=durations,
                kind=st.sampled_from(["event", "segment"]),
                segment=names,
                moved=st.sampled_from(["entered", "left"]),
                take_in=st.booleans(),
                exclude=names,
                ramp=st.fixed_dictionaries({"percent": st.integers(-1, 101), "compare_on": lines}),
                cap=st.fixed_dictionaries({"most": st.integers(-1, 2000), "per": durations}),
                priority=st.integers(-1, 101),
                guard=st.sampled_from(["any", "all", "none"]),
                guard_reason=lines,
            )
        ),
        "steps": draw(st.lists(steps(ids, states), max_size=4)),
    }
    more = optional(
        variables=variables,
        exit_events=st.lists(matches(exits, within=durations, goal=st.booleans(), last_step=ids), max_size=2),
        exit_rules=st.lists(
            st.fixed_dictionaries({"rule": rules, **exits}, optional={"goal": st.booleans(), "last_step": ids}),
            max_size=2,
        ),
    )
    expiry = st.fixed_dictionaries({"after": durations, "state": states}, optional={"outcome": lines, "last_step": ids})
    return document | draw(more) | draw(optional(timeout=expiry))
