"""Who was named by which source is kept while messages are resolved: it is what partners may know of."""

import pytest

from customers.models import Brand, Identifier, InboxItem, Profile, ProfileBrand, ProfileSource, Source
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def named(source: Source) -> set[str]:
    profiles = ProfileSource.objects.filter(source=source).values("profile_id")
    return set(Identifier.objects.filter(profile_id__in=profiles).values_list("value", flat=True))


def test_every_profile_that_a_message_names_is_named_by_its_source(stage: Stage) -> None:
    stage.accept("identify", "ana", email="ana@example.com", traits={"email": "ana@example.com"})
    stage.run()
    assert named(stage.source) == {"ana", "ana@example.com"}
    assert ProfileBrand.objects.count() == 2


def test_each_source_has_named_its_own(stage: Stage) -> None:
    till = Source.objects.create(brand=stage.brand, key="till", name="Till")
    stage.accept("seen", "ana")
    shop, stage.source = stage.source, till
    stage.accept("seen", "ana")
    stage.accept("seen", "bia")
    stage.run()
    assert (named(shop), named(till)) == ({"ana"}, {"ana", "bia"})
    assert ProfileBrand.objects.count() == 2


def test_a_profile_seen_in_another_brand_is_of_both(stage: Stage) -> None:
    other = Brand.objects.create(key="other", name="Other")
    rival = Source.objects.create(brand=other, key="shop", name="Shop", namespace=stage.brand.pk)
    stage.accept("seen", "ana")
    stage.run()
    stage.source = rival
    stage.accept("seen", "ana")
    stage.run()
    assert set(ProfileBrand.objects.values_list("brand__key", flat=True)) == {"acme", "other"}
    assert Profile.objects.count() == 1


def test_it_is_kept_how_surely_a_source_named_them(stage: Stage) -> None:
    def surely() -> dict[str, int]:
        rows = ProfileSource.objects.values_list("profile_id", "assurance")
        names = dict(Identifier.objects.values_list("profile_id", "value"))
        return {names[profile]: assurance for profile, assurance in rows}

    stage.accept("seen", "ana", email="ana@example.com")
    InboxItem.objects.update(assurance=1)
    stage.accept("seen", "bia")
    stage.run()
    assert surely() == {"ana": 1, "ana@example.com": 1, "bia": 2}
    stage.accept("seen", "bia")
    InboxItem.objects.update(assurance=1)
    stage.accept("seen", "ana")
    stage.run()
    assert surely() == {"ana": 2, "ana@example.com": 1, "bia": 2}
    assert ProfileBrand.objects.count() == 3


def test_a_repetition_writes_nothing(stage: Stage) -> None:
    stage.accept("seen", "ana")
    stage.run()
    first = ProfileSource.objects.get().first_seen_at
    stage.pass_time(hours=1)
    stage.happen("seen", "ana")
    assert ProfileSource.objects.get().first_seen_at == first
