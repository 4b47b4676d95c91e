"""A customer's consents on the staff's page: what stands, what proves it, and acting on the person's word."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from guardian.shortcuts import assign_perm

from consent.models import ConsentEntry, Pause, Purpose
from customers import clock
from customers.models import Address, AuditEntry, Brand, Customer, Profile, ProfileBrand
from tests.consent import people
from tests.consent.people import T0, tell, verdict

pytestmark = pytest.mark.django_db
REASON = "Called on 2 March at 10:00, ticket 4711"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"), backend=BACKEND)
    return client


@pytest.fixture
def url(ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose) -> str:
    ProfileBrand.objects.create(profile=profile, brand=brand, first_seen_at=T0)
    tell(address, profile, newsletter, "given", T0)
    return f"/admin/customers/customer/{ana.pk}/consent/"


def test_it_tells_what_stands_the_four_tests_and_all_that_was_said(root: Client, url: str) -> None:
    page = root.get(url).content.decode()
    for words in ("Newsletter", "ana@example.com", "may be sent", "Informed", "Voluntary", "203.0.113.9"):
        assert words in page
    assert "Which notice was shown is not known." in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "too young to agree when they did, and no parent did"),
        ("pt-br", "jovem demais para consentir quando o fez, sem consentimento dos pais"),
    ],
)
def test_it_tells_what_the_law_objects_to(
    root: Client, url: str, ana: Customer, newsletter: Purpose, language: str, words: str
) -> None:
    assert words not in root.get(url, headers={"Accept-Language": language}).content.decode()
    Purpose.objects.filter(pk=newsletter.pk).update(law="lgpd")
    Customer.objects.filter(pk=ana.pk).update(country="BR", traits={"birth_date": "2020-01-01"})
    assert words in root.get(url, headers={"Accept-Language": language}).content.decode()


def test_the_customer_s_page_leads_to_it(root: Client, url: str) -> None:
    assert url in root.get(url.replace("/consent/", "/change/")).content.decode()


def test_on_the_person_s_word_it_is_withdrawn_at_every_address(
    root: Client, url: str, ana: Customer, address: Address, profile: Profile, brand: Brand, newsletter: Purpose
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    tell(phone, profile, newsletter, "given", T0)
    form = {"do": "withdraw", "brand": str(brand.pk), "purpose": str(newsletter.pk), "reason": REASON}
    for _time in range(2):
        assert root.post(url, form, follow=True).status_code == 200
    entry = ConsentEntry.objects.get(state="withdrawn")
    assert (entry.method, entry.profile_id, entry.evidence.fields["reason"]) == ("staff", profile.pk, REASON)
    assert [verdict(ana, one, newsletter, clock.utcnow()).reason for one in (address, phone)] == ["withdrawn"] * 2
    trail = AuditEntry.objects.filter(action="withdraw_consent").order_by("pk").first()
    assert trail is not None
    assert trail.after == {"purposes": ["newsletter"], "entries": [entry.pk]}
    assert REASON not in str(trail.after)


def test_they_are_left_in_peace(
    root: Client, url: str, ana: Customer, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    page = root.post(url, {"do": "pause", "span": "1m", "brand": str(brand.pk), "reason": REASON}, follow=True)
    assert "Left in peace until" in page.content.decode()
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "paused"
    assert AuditEntry.objects.filter(action="pause_messages").count() == 1


@pytest.mark.parametrize("form", [{"do": "withdraw"}, {"do": "pause", "span": "1m"}, {"do": "pause", "span": "9y"}])
def test_without_its_proof_nothing_is_done(
    root: Client, url: str, brand: Brand, newsletter: Purpose, form: dict[str, str]
) -> None:
    reason = "x" if form.get("span") == "9y" else " "
    root.post(url, form | {"brand": str(brand.pk), "purpose": str(newsletter.pk), "reason": reason})
    assert (ConsentEntry.objects.count(), Pause.objects.count()) == (1, 0)


def test_who_may_only_look_does_nothing_and_reads_no_personal_data(
    client: Client, url: str, brand: Brand, newsletter: Purpose
) -> None:
    agent = User.objects.create_user("agent", is_staff=True)
    for name in ("customers.view_customer", "consent.withdraw_consenthead"):
        assign_perm(name, agent)
    assign_perm("customers.view_brand", agent, brand)
    client.force_login(agent, backend=BACKEND)
    page = client.get(url).content.decode()
    assert "You may look at this" in page
    for personal in ("ana@example.com", "203.0.113.9", "shop.example"):
        assert personal not in page
    form = {"do": "withdraw", "brand": str(brand.pk), "purpose": str(newsletter.pk), "reason": REASON}
    assert client.post(url, form).status_code == 403
    assert ConsentEntry.objects.count() == 1


@pytest.mark.parametrize("brand_key", ["", "x", "00000000-0000-0000-0000-000000000001"])
def test_of_an_unknown_brand_nothing_is_done(root: Client, url: str, newsletter: Purpose, brand_key: str) -> None:
    form = {"do": "withdraw", "brand": brand_key, "purpose": str(newsletter.pk), "reason": REASON}
    assert root.post(url, form).status_code == 403
    assert ConsentEntry.objects.count() == 1
