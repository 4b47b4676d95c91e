"""Under which law somebody is, and what counts as consent there."""

from datetime import UTC, date, datetime

import pytest

from consent.jurisdiction import Given, Under, is_known_basis, is_known_place, law_of, objection, read_basis

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def given(basis: str = "", place: str = "", *, informed: bool = True, at: datetime = AT) -> Given:
    return Given(basis, place, informed, at)


@pytest.mark.parametrize(
    ("place", "law"),
    [
        ("BR", "lgpd"), ("br", "lgpd"), ("AU", "app"), ("PT", "gdpr"), ("EU", "gdpr"), ("GB", "gdpr"),
        ("LGPD", "lgpd"), (" gdpr ", "gdpr"), ("US", ""), ("", ""), ("Brazil", ""),
        ("BR-SP", "lgpd"), ("de-by", "gdpr"), ("AU-NSW", "app"), ("US-CA", ""), ("BR-XX", ""), ("Australia", ""),
    ],
)  # fmt: skip
def test_countries_and_laws_by_their_names(place: str, law: str) -> None:
    assert law_of(place) == law
    assert law_of(place, "app") == (law or "app")


@pytest.mark.parametrize(
    ("text", "law", "is_consent", "is_of_parent"),
    [
        ("", "", True, False),
        ("lgpd:7:I", "lgpd", True, False),
        ("LGPD, art. 7, I", "lgpd", True, False),
        ("lgpd:7:IX", "lgpd", False, False),
        ("lgpd:7:II", "lgpd", False, False),
        ("lgpd:14:1", "lgpd", True, True),
        ("gdpr:6:1:a", "gdpr", True, False),
        ("gdpr:6(1)(a)", "gdpr", True, False),
        ("GDPR Art. 6(1)(f)", "gdpr", False, False),
        ("gdpr:8:1", "gdpr", True, True),
        ("app:7:3:b", "app", True, False),
        ("app:7:2", "app", False, False),
        ("app:parent", "app", True, True),
        ("legitimate interest", "", False, False),
        ("lgpd", "lgpd", False, False),
        ("art. 7º, inciso I, da LGPD", "lgpd", True, False),
        ("art. 7.º, n.º 1, do RGPD", "gdpr", False, False),
        ("Art. 6.º, n.º 1, alínea a), do RGPD", "gdpr", True, False),
        ("GDPR Art. 6(1) lit. a", "gdpr", True, False),
        ("Art. 6 Abs. 1 lit. a DSGVO", "gdpr", True, False),
        ("Art. 6 Abs. 1 lit. f DSGVO", "gdpr", False, False),
        ("spam-act:16:2", "app", False, False),
    ],
)
def test_a_basis_is_read_however_it_is_written(text: str, law: str, is_consent: bool, is_of_parent: bool) -> None:
    basis = read_basis(text)
    assert (basis.law, basis.is_consent, basis.is_of_parent) == (law, is_consent, is_of_parent)


@pytest.mark.parametrize("law", ["lgpd", "gdpr", "app"])
def test_consent_is_consent_under_each_law_where_the_notice_is_known(law: str) -> None:
    for basis in ("", "lgpd:7:I", "gdpr:6:1:a", "app:7:3:b"):
        assert objection(Under(law), given(basis)) == ""
        assert objection(Under(law), given(basis, informed=False)) == "not_informed"


@pytest.mark.parametrize(
    ("law", "basis", "place", "reason"),
    [
        ("gdpr", "gdpr:6:1:f", "", ""),
        ("lgpd", "gdpr:6:1:f", "", "basis_elsewhere"),
        ("lgpd", "gdpr:6:1:f", "BR", "basis_elsewhere"),
        ("lgpd", "lgpd:7:IX", "BR", ""),
        ("lgpd", "lgpd:7:IX", "BR-SP", ""),
        ("lgpd", "lgpd:7:IX", "PT", "basis_elsewhere"),
        ("gdpr", "lgpd:7:IX", "PT", "basis_elsewhere"),
        ("gdpr", "gdpr:6:1:f", "BR", "basis_elsewhere"),
        ("gdpr", "gdpr:6:1:f", "US", ""),
        ("app", "spam-act:16:2", "AU", ""),
        ("app", "spam-act:16:2", "AU-NSW", ""),
        ("app", "spam-act:16:2", "app", ""),
        ("app", "spam-act:16:2", "", "basis_elsewhere"),
        ("app", "spam-act:16:2", "NZ", "basis_elsewhere"),
        ("gdpr", "spam-act:16:2", "PT", "basis_elsewhere"),
        ("lgpd", "spam-act:16:2", "BR", "basis_elsewhere"),
        ("app", "lgpd:7:IX", "", "basis_elsewhere"),
        ("gdpr", "soft opt-in", "PT", ""),
        ("gdpr", "soft opt-in", "US", "basis_elsewhere"),
        ("gdpr", "soft opt-in", "", "basis_elsewhere"),
    ],
)
def test_any_other_basis_is_one_of_its_own_law(law: str, basis: str, place: str, reason: str) -> None:
    assert objection(Under(law), given(basis, place)) == reason
    assert objection(Under(law), given(basis, place, informed=False)) == reason


@pytest.mark.parametrize(
    ("law", "country", "least"),
    [
        ("lgpd", "BR", 12),
        ("app", "AU", 15),
        ("gdpr", "DE", 16),
        ("gdpr", "PT", 13),
        ("gdpr", "FR", 15),
        ("gdpr", "", 16),
    ],
)
def test_people_agree_for_themselves_from_an_age_on(law: str, country: str, least: int) -> None:
    on_the_day, a_day_short = date(2026 - least, 3, 2), date(2026 - least, 3, 3)
    assert objection(Under(law, country, on_the_day), given()) == ""
    assert objection(Under(law, country, a_day_short), given()) == "too_young"
    assert objection(Under(law, country, None), given()) == ""


@pytest.mark.parametrize("basis", ["lgpd:14:1", "gdpr:8:1", "app:parent"])
def test_a_parent_agrees_for_a_child(basis: str) -> None:
    child = Under("lgpd", "BR", date(2018, 1, 1))
    assert objection(child, given(basis)) == ""
    assert objection(child, given(basis, informed=False)) == "not_informed"


def test_no_interest_of_others_outweighs_that_of_a_minor() -> None:
    assert objection(Under("lgpd", "BR", date(2008, 3, 3)), given("lgpd:7:IX")) == "too_young"
    assert objection(Under("lgpd", "BR", date(2008, 3, 2)), given("lgpd:7:IX")) == ""


def test_the_age_is_that_of_when_they_agreed() -> None:
    born = date(2012, 6, 1)
    assert objection(Under("lgpd", "BR", born), given(at=datetime(2024, 5, 31, tzinfo=UTC))) == "too_young"
    assert objection(Under("lgpd", "BR", born), given(at=datetime(2024, 6, 1, tzinfo=UTC))) == ""
    assert objection(Under("lgpd", "BR", date(2012, 2, 29)), given(at=datetime(2024, 2, 28, tzinfo=UTC))) == "too_young"


@pytest.mark.parametrize(
    "text",
    [
        "lgpd:7:I", "LGPD, art. 7, IX", "lgpd:11:II:a", "lgpd:14:1", "gdpr:6(1)(a)", "GDPR 6(1)(f)", "gdpr:9:2:a",
        "gdpr:8:1", "app:7:3:b", "app:parent", "APP 6.2(a)", "spam-act:16:2", "Spam Act 16(2)",
        "art. 7º, inciso IX, da LGPD", "Art. 6 Abs. 1 lit. f DSGVO", "GDPR Art. 6(1) lit. a",
        "art. 6.º, n.º 1, alínea f), do RGPD", "Spam Act 2003, s 16(2)",
    ],
)  # fmt: skip
def test_a_basis_of_a_law_and_its_article_is_known(text: str) -> None:
    assert is_known_basis(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lgpd",
        "lgpd:7",
        "lgpd:7:XI",
        "7:I",
        "gdpr:6:1:g",
        "gdpr:7:1:a:b",
        "ccpa:1",
        "consent",
        "spam-act",
        "app",
        "da LGPD",
        "Art. 6 Abs. 1 lit. g DSGVO",
        "Art. 6 Abs. 1 lit. a",
    ],
)
def test_a_basis_without_its_law_or_article_is_not(text: str) -> None:
    assert not is_known_basis(text)


@pytest.mark.parametrize(
    "place",
    [
        "BR",
        "br",
        " AU ",
        "EU",
        "GB",
        "US",
        "US-CA",
        "BR-SP",
        "br-to",
        "AU-NSW",
        "DE-BY",
        "GB-SCT",
        "FR-75",
        "AQ",
        "PN",
        "XK",
        "lgpd",
        "GDPR",
    ],
)
def test_a_country_a_part_of_one_or_a_law_is_a_known_place(place: str) -> None:
    assert is_known_place(place)


@pytest.mark.parametrize(
    "place",
    [
        "",
        "XX",
        "UK",
        "Brazil",
        "B",
        "BR-",
        "BR-SÃO",
        "ccpa",
        "055",
        "BR-XX",
        "BR-1",
        "AU-NZ",
        "AU-V",
        "EU-DE",
        "XX-SP",
        "AC",
        "FR-Z_1",
        "DE-BAYE",
    ],
)
def test_other_places_are_not(place: str) -> None:
    assert not is_known_place(place)
