"""The four tests of a consent: each passes by what proves it, and says what is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent.four_tests import Case, applies, judge
from consent.ledger import append
from consent.models import ConsentEntry, NoticeText, Purpose
from customers.models import Address, Profile
from tests.consent import people
from tests.consent.people import T0, new_entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(address: Address, profile: Profile, newsletter: Purpose) -> ConsentEntry:
    """With all that a good one has."""
    Purpose.objects.filter(pk=newsletter.pk).update(description="News once a week")
    version = people.make_notice(newsletter.brand)
    made = new_entry(address, profile, newsletter, "given", T0, "double_opt_in", T0 + timedelta(days=30))
    append([replace(made, notice_version_id=version.pk, language="en", legal_basis="lgpd:7:I")], T0)
    return ConsentEntry.objects.select_related("purpose", "address", "notice_version__notice").get()


def case(entry: ConsentEntry, **changes: object) -> Case:
    values: dict[str, object] = {
        "words": NoticeText.objects.get(),
        "evidence": frozenset({"url", "ip"}),
        "granted_with": 0,
    }
    return Case(entry, **(values | changes))  # type: ignore[arg-type]  # as told


def passed(judged: Case, days: float = 1) -> dict[str, bool]:
    return {one.test: one.passed for one in judge(judged, T0 + timedelta(days=days))}


def missing(judged: Case, test: str, days: float = 1) -> tuple[str, ...]:
    return next(one.missing for one in judge(judged, T0 + timedelta(days=days)) if one.test == test)


def test_a_good_one_passes_all_four_with_their_proofs(entry: ConsentEntry) -> None:
    results = {one.test: one for one in judge(case(entry), T0)}
    assert all(one.passed for one in results.values())
    digest = bytes(NoticeText.objects.get().digest or b"").hex()
    assert f"Its text has the SHA-256 {digest}." in results["informed"].proofs
    assert "Good until 2026-04-01." in results["current"].proofs
    assert "By an act of the person: double opt-in." in results["voluntary"].proofs
    assert "For the one purpose “Newsletter”, by e-mail." in results["specific"].proofs


def test_without_its_notice_nobody_knows_what_they_read(entry: ConsentEntry) -> None:
    entry.notice_version = None
    assert passed(case(entry)) == {"informed": False, "specific": True, "current": True, "voluntary": True}
    assert missing(case(entry), "informed") == ("Which notice was shown is not known.",)


def test_without_a_language_or_words_it_is_not_informed(entry: ConsentEntry) -> None:
    assert missing(case(entry, words=None), "informed") == ("The words of that version are not there.",)
    entry.language = ""
    assert missing(case(entry), "informed") == ("In which language it was shown is not known.",)


def test_a_purpose_that_nobody_described_is_not_specific(entry: ConsentEntry) -> None:
    entry.purpose.description = ""
    assert passed(case(entry))["specific"] is False


@pytest.mark.parametrize(("days", "ok"), [(29, True), (30, False)])
def test_what_has_expired_is_not_current(entry: ConsentEntry, days: float, ok: bool) -> None:
    assert passed(case(entry), days)["current"] is ok


@pytest.mark.parametrize(("days", "ok"), [(730, True), (731, False)])
def test_without_an_end_it_is_current_for_two_years(entry: ConsentEntry, days: float, ok: bool) -> None:
    entry.valid_until = None
    assert passed(case(entry), days)["current"] is ok


@pytest.mark.parametrize(
    ("method", "evidence", "ok"),
    [
        ("double_opt_in", frozenset(), True),
        ("event", frozenset({"url"}), True),
        ("event", frozenset({"token"}), False),
        ("import", frozenset(), False),
        ("double_opt_in", None, False),
    ],
)
def test_voluntary_is_what_the_person_did(
    entry: ConsentEntry, method: str, evidence: frozenset[str] | None, ok: bool
) -> None:
    entry.method = method
    assert passed(case(entry, evidence=evidence))["voluntary"] is ok


def test_what_was_granted_together_is_bundled(entry: ConsentEntry) -> None:
    assert missing(case(entry, granted_with=2), "voluntary") == (
        "Given together with 2 other purposes in one act: bundled.",
    )


def test_only_a_grant_is_asked(entry: ConsentEntry) -> None:
    assert applies(entry)
    entry.state = "withdrawn"
    assert not applies(entry)
