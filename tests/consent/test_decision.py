"""The rule of permission: the strictest voice, what outweighs it, and what nothing outweighs."""

from datetime import datetime
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.decision import Head, decide
from tests.consent.people import hours

ONE, OTHER = UUID(int=1), UUID(int=2)
NOW = hours(1000)


def head(
    state: str,
    at: float,
    profile: UUID | None = ONE,
    *,
    until: float | None = None,
    proven: float | None = None,
    since: float = 0,
    entry: int = 1,
) -> Head:
    return Head(
        entry_id=entry,
        profile_id=profile,
        state=state,
        effective_at=hours(at),
        valid_until=None if until is None else hours(until),
        proven_at=None if proven is None else hours(proven),
        customer_since=None if profile is None else hours(since),
    )


def why(*heads: Head, kind: str = "marketing", now: datetime = NOW) -> str:
    verdict = decide(kind, False, heads, now)
    assert verdict.allowed == (verdict.reason == "")
    return verdict.reason


@pytest.mark.parametrize(
    ("kind", "nothing", "withdrawn", "expired"),
    [
        ("marketing", "no_consent", "withdrawn", "consent_expired"),
        ("service", "", "withdrawn", ""),
        ("legal", "", "", ""),
    ],
)
def test_each_kind_of_purpose_has_its_defaults(kind: str, nothing: str, withdrawn: str, expired: str):
    assert why(kind=kind) == nothing
    assert why(head("withdrawn", 1), kind=kind) == withdrawn
    assert why(head("given", 1, until=2), kind=kind) == expired
    assert why(head("given", 1), kind=kind) == ""


@pytest.mark.parametrize("kind", ["marketing", "service", "legal"])
def test_suppression_refuses_whatever_was_granted(kind: str):
    assert decide(kind, True, [head("given", 1)], NOW).reason == "suppressed"


def test_consent_lapses_at_the_very_moment_it_ends():
    lasting = head("given", 1, until=5)
    assert why(lasting, now=hours(4.999)) == ""
    assert why(lasting, now=hours(5)) == "consent_expired"


def test_the_deciding_entry_is_named():
    heads = [head("given", 1, entry=11), head("withdrawn", 2, OTHER, entry=22)]
    assert decide("marketing", False, heads, NOW).entry_id == 22
    assert decide("marketing", False, heads[:1], NOW).entry_id == 11


def test_one_profile_speaks_by_its_latest_word_and_a_tie_is_a_refusal():
    at_address, as_person = head("given", 1), head("withdrawn", 2)
    assert why(at_address, as_person) == "withdrawn"
    assert why(head("given", 3), as_person) == ""
    assert why(head("given", 2), as_person) == "withdrawn"


def test_the_strictest_profile_decides():
    assert why(head("withdrawn", 1), head("given", 2, OTHER, since=5)) == "withdrawn"
    assert why(head("given", 3), head("withdrawn", 1, OTHER, since=5)) == "withdrawn"


def test_a_grant_given_together_outweighs_the_others_older_withdrawal():
    assert why(head("withdrawn", 1), head("given", 6, OTHER, since=5)) == ""
    assert why(head("withdrawn", 1, since=5), head("given", 6, OTHER)) == ""


def test_a_grant_at_the_very_moment_of_the_merge_was_not_given_together():
    assert why(head("withdrawn", 1), head("given", 5, OTHER, since=5)) == "withdrawn"


def test_a_withdrawal_after_the_grant_given_together_stands():
    assert why(head("withdrawn", 7), head("given", 6, OTHER, since=5)) == "withdrawn"


def test_an_expired_grant_given_together_outweighs_nothing():
    assert why(head("withdrawn", 1), head("given", 6, OTHER, since=5, until=8)) == "withdrawn"


def test_an_address_wide_withdrawal_binds_every_profile():
    assert why(head("withdrawn", 2, None)) == "withdrawn"
    assert why(head("withdrawn", 2, None), head("given", 1)) == "withdrawn"
    assert why(head("withdrawn", 2, None), head("given", 3)) == "withdrawn"


def test_only_the_profiles_own_later_proof_frees_it_from_an_address_wide_withdrawal():
    assert why(head("withdrawn", 2, None), head("given", 3, proven=3)) == ""
    assert why(head("withdrawn", 2, None), head("given", 1, proven=1)) == "withdrawn"
    assert why(head("withdrawn", 2, None), head("given", 2, proven=2)) == "withdrawn"
    # Repeated without proof after the withdrawal: the proof is older than it.
    assert why(head("withdrawn", 2, None), head("given", 3, proven=1)) == "withdrawn"


def test_freeing_one_profile_frees_the_other_only_when_they_were_together():
    wide, freed = head("withdrawn", 2, None), head("given", 6, proven=6)
    assert why(wide, freed, head("given", 1, OTHER, since=5)) == ""
    assert why(wide, freed, head("given", 1, OTHER, since=7)) == "withdrawn"


def test_a_repetition_without_proof_after_the_merge_frees_nobody_else():
    renewed = head("given", 8, proven=6)
    assert why(head("withdrawn", 2, None), renewed, head("given", 1, OTHER, since=7)) == "withdrawn"


def test_a_mere_request_after_an_address_wide_withdrawal_does_not_lift_it():
    assert why(head("withdrawn", 2, None), head("requested", 3), kind="service") == "withdrawn"


@pytest.mark.parametrize("state", ["requested", "deferred", "unknown"])
def test_who_was_only_asked_says_nothing_against_what_others_granted(state: str):
    assert why(head("given", 1), head(state, 6, OTHER, since=5)) == ""
    assert why(head("given", 1), head(state, 6)) == ""
    assert why(head("withdrawn", 1), head(state, 6)) == "withdrawn"
    assert why(head(state, 1), head(state, 6, OTHER, since=5)) == "no_consent"


def test_an_address_wide_grant_serves_whoever_uses_the_address_but_silences_nobody():
    assert why(head("given", 2, None)) == ""
    assert why(head("given", 2, None), head("withdrawn", 1)) == "withdrawn"


def test_a_lapsed_address_wide_grant_takes_nothing_from_a_profiles_own():
    assert why(head("given", 2, None, until=3), head("given", 1)) == ""
    assert why(head("given", 2, None, until=3)) == "consent_expired"


def test_what_could_not_be_applied_refuses_all_but_legal_messages():
    def unsettled(kind: str) -> str:
        return decide(kind, False, [head("given", 1)], NOW, unsettled=True).reason

    assert [unsettled(kind) for kind in ("marketing", "service", "legal")] == ["consent_unsettled"] * 2 + [""]


profiles = st.sampled_from([ONE, OTHER, UUID(int=3), None])
kinds = st.sampled_from(["marketing", "service", "legal"])


@st.composite
def some_heads(draw: st.DrawFn) -> list[Head]:
    since = {profile: draw(st.integers(0, 9)) for profile in (ONE, OTHER, UUID(int=3))}
    heads = []
    for entry in range(draw(st.integers(0, 5))):
        profile, at = draw(profiles), draw(st.integers(0, 9))
        state = draw(st.sampled_from(["given", "renewed", "withdrawn", "refused", "requested", "expired"]))
        granted = state in ("given", "renewed")
        heads.append(
            head(
                state,
                at,
                profile,
                until=draw(st.sampled_from([None, 10, 2000])) if granted else None,
                proven=draw(st.sampled_from([None, at])) if granted else None,
                since=since[profile] if profile else 0,
                entry=entry,
            )
        )
    return heads


@given(some_heads(), kinds)
def test_the_order_of_the_heads_does_not_matter(heads: list[Head], kind: str):
    verdicts = {decide(kind, False, list(order), NOW) for order in permutations(heads)}
    assert len(verdicts) == 1


@given(some_heads(), kinds, profiles)
def test_one_more_and_later_withdrawal_never_permits(heads: list[Head], kind: str, profile: UUID | None):
    last = head("withdrawn", 100, profile, entry=99)
    after = decide(kind, False, [*heads, last], NOW)
    assert after.allowed == (kind == "legal")


@given(some_heads())
def test_marketing_is_never_allowed_without_a_grant_in_force(heads: list[Head]):
    verdict = decide("marketing", False, heads, NOW)
    if verdict.allowed:
        (grant,) = (one for one in heads if one.entry_id == verdict.entry_id)
        assert grant.reason(NOW) == ""


@given(some_heads(), st.integers(0, 9))
def test_no_unproven_grant_gets_past_an_address_wide_withdrawal(heads: list[Head], at: int):
    own = [one for one in heads if one.profile_id is not None]
    verdict = decide("marketing", False, [*own, head("withdrawn", at, None, entry=99)], NOW)
    if verdict.allowed:
        assert any(one.proven_at is not None and one.proven_at > hours(at) for one in own)


@given(some_heads())
def test_what_is_refused_for_service_is_refused_for_marketing(heads: list[Head]):
    if not decide("service", False, heads, NOW).allowed:
        assert not decide("marketing", False, heads, NOW).allowed
