"""Previews and test sends: a template as somebody would see it, sent to oneself or a seed list, counted nowhere."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string, policy
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.models import (
    Connector,
    Message,
    PulledHost,
    PulledSource,
    Seed,
    SeedList,
    TemplateText,
    TestSend,
)
from channels.previews import Ask, Somebody, find, show
from channels.previews.make import texts_of
from channels.stops import stop
from channels.test_sends.send import send_all
from config.loop.smtp_sink import SmtpSink
from consent.models import Suppression
from customers import clock
from customers.ids import new_id
from customers.models import (
    Address,
    AuditEntry,
    Brand,
    Event,
    EventPayload,
    Identifier,
    IdentifierKind,
    ProfileBrand,
    Source,
    Trait,
)
from tests.channels.web_server import OtherSystem, other_system
from tests.channels.world import NOW, Person, World
from tests.consent import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@acme.example", "-"))
    return client


def page_of(world: World) -> str:
    return reverse("admin:channels_templateversion_preview", args=[world.version.pk])


def seen_in_the_brand(person: Person) -> None:
    ProfileBrand.objects.get_or_create(
        profile=person.profile, brand=Brand.objects.get(key="acme"), defaults={"first_seen_at": NOW}
    )


def known(person: Person, name: str, value: Any, days_ago: int, event_id: int = 1) -> None:
    seen_in_the_brand(person)
    at = NOW - timedelta(days=days_ago)
    Trait.objects.create(
        profile=person.profile, name=name, value=value, valid_from=at, recorded_at=at, event_id=event_id
    )


def send(sink: SmtpSink) -> list[Any]:
    assert send_all(clock.utcnow, 5)
    return [message_from_string(mail.data, policy=policy.default) for mail in sink.accepted()]


def test_it_says_what_the_person_would_read_as_they_were_known_then(world: World) -> None:
    person = world.person()
    known(person, "first_name", "Ana", 10)
    known(person, "first_name", "Anna", 2, 2)
    user = User.objects.create_superuser("root")
    for days, name in ((1, "Anna"), (5, "Ana")):
        at = NOW - timedelta(days=days)
        somebody = find(user, str(person.customer.pk), world.brand.pk, at)
        assert somebody is not None
        ask = Ask(texts_of(world.version.pk), world.brand, at, somebody, {"plan": "gold"})
        rendered = show(ask).rendered
        assert rendered is not None
        assert (rendered.locale, rendered.subject, rendered.text) == ("pt", f"Olá {name}", "Plano gold")


def test_a_person_is_found_by_id_and_by_address_and_nobody_by_anything_else(world: World) -> None:
    person = world.person("ana@example.com")
    seen_in_the_brand(person)
    user = User.objects.create_superuser("root")
    found = [
        find(user, words, world.brand.pk, NOW)
        for words in (str(person.customer.pk), "ana@example.com", " ANA@example.com ")
    ]
    assert [one.customer_id for one in found if one] == [person.customer.pk] * 3
    assert [find(user, words, world.brand.pk, NOW) for words in ("nobody@example.com", "", "x" * 300, "0" * 32)] == [
        None
    ] * 4


def test_who_may_not_read_personal_data_sees_it_masked_and_finds_nobody_by_address(world: World) -> None:
    person = world.person()
    known(person, "first_name", "Ana", 10)
    user = User.objects.create_user("marketer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_customer", "view_templateversion")))
    assign_perm("customers.view_brand", user, world.brand)
    assert find(user, "ana@example.com", world.brand.pk, NOW) is None
    somebody = find(user, str(person.customer.pk), world.brand.pk, NOW)
    assert somebody is not None
    assert somebody.is_masked
    assert somebody.traits == {"first_name": "•••"}


def test_whom_the_user_may_not_see_is_nobody(world: World) -> None:
    person = world.person()
    assert (
        find(User.objects.create_user("stranger", is_staff=True), str(person.customer.pk), world.brand.pk, NOW) is None
    )


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            "{{ customer.nick }}",
            "Not sent: nothing is known for a field that has no default (customer.nick is undefined).",
        ),
        ("{% abort 'no cart' %}", "Not sent, as the template itself says: no cart."),
        ("{{ 'x' | money }}", "Not sent: it cannot be filled in (money: whole minor units, such as cents in line 1)."),
    ],
)
def test_why_there_would_be_no_message_is_said(world: World, source: str, fault: str) -> None:
    TemplateText.objects.filter(version=world.version).update(text=source, html="")
    shown = show(Ask(texts_of(world.version.pk), world.brand, NOW, Somebody({"first_name": "Ana"})))
    assert (shown.rendered, shown.fault) == (None, fault)


def test_its_way_out_leads_nowhere(world: World, client: Client) -> None:
    shown = show(Ask(texts_of(world.version.pk), world.brand, NOW, Somebody({"first_name": "A"}, "pt"), {"plan": 1}))
    assert shown.rendered is not None
    assert "/unsubscribe/preview/" in shown.rendered.html
    assert client.get("/unsubscribe/preview/").status_code == 404


def test_the_page_shows_the_mail_in_frames_where_nothing_runs(staff: Client, world: World) -> None:
    person = world.person()
    known(person, "first_name", "<script>alert(1)</script>", 10)
    answer = staff.post(page_of(world), {"person": str(person.customer.pk), "variables": '{"plan": "gold"}'})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("<iframe") == 2
    assert page.count(" sandbox ") == 2
    assert "<script>alert(1)" not in page
    assert "&amp;lt;script&amp;gt;alert(1)" in page
    assert "img-src 'self' https: data:" in answer["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in answer["Content-Security-Policy"]


def test_other_staff_pages_show_no_pictures_from_elsewhere(staff: Client, world: World) -> None:
    policy_ = staff.get(reverse("admin:channels_template_changelist"))["Content-Security-Policy"]
    assert "https:" not in policy_


def test_the_event_they_had_last_fills_it_in(staff: Client, world: World) -> None:
    person = world.person()
    known(person, "first_name", "Ana", 10)
    source = Source.objects.create(brand=world.brand, key="shop", name="Shop")
    for n, plan in enumerate(("silver", "gold")):
        at = NOW - timedelta(days=3 - n)
        event = Event.objects.create(
            pk=n + 1, brand=world.brand, source=source, profile=person.profile, kind="track", name="signed_up",
            message_id=f"m{n}", occurred_at=at, received_at=at,
        )  # fmt: skip
        EventPayload.objects.create(event_id=event.pk, received_at=at, payload={"properties": {"plan": plan}})
    shown = [
        staff.post(page_of(world), {"person": str(person.customer.pk), "event": "signed_up", "at": at})
        .context["rendered"]
        .text
        for at in ("", (NOW - timedelta(days=2, hours=12)).strftime("%Y-%m-%dT%H:%M"))
    ]
    assert shown == ["Plano gold", "Plano silver"]
    page = staff.post(page_of(world), {"person": str(person.customer.pk), "event": "bought"}).content.decode()
    assert "They had no such event by then." in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"person": "nobody@example.com"}, "Nobody whom you may see is known by this."),
        ({"variables": "[1]"}, "This is no object"),
        ({"variables": "{"}, "errorlist"),
        ({"locale": "xx"}, "errorlist"),
        ({"at": "yesterday"}, "errorlist"),
    ],
)
def test_what_cannot_be_asked_is_told_beside_its_field(staff: Client, world: World, asked: Any, words: str) -> None:
    answer = staff.post(page_of(world), asked)
    assert answer.status_code == 200
    assert words in answer.content.decode()


def words_of(world: World, **more: str) -> dict[str, str]:
    return {
        "template": str(world.version.template_id),
        "texts-TOTAL_FORMS": "1",
        "texts-INITIAL_FORMS": "0",
        "texts-0-locale": "en",
        "texts-0-subject": "Hi {{ customer.first_name | default: 'you' }}",
        "texts-0-text": "A draft",
    } | more


def test_a_draft_is_shown_and_saved_nowhere(staff: Client, world: World) -> None:
    draft = reverse("admin:channels_templateversion_draft")
    person = world.person()
    known(person, "first_name", "Ana", 10)
    answer = staff.post(draft, words_of(world))
    assert (answer.status_code, answer.context["rendered"].subject) == (200, "Hi you")
    assert 'name="texts-0-text" value="A draft"' in answer.content.decode()
    again = staff.post(draft, words_of(world, person=str(person.customer.pk)))
    assert again.context["rendered"].subject == "Hi Ana"
    assert world.version.template.versions.count() == 1


def test_a_draft_with_a_fault_is_told_it(staff: Client, world: World) -> None:
    draft = reverse("admin:channels_templateversion_draft")
    answer = staff.post(draft, words_of(world, **{"texts-0-text": "{{ x"}))
    assert answer.status_code == 422
    assert "not closed in line 1" in answer.content.decode()
    assert staff.post(draft, {"template": "nobody"}).status_code == 422
    assert staff.get(draft).status_code == 403


def test_a_test_goes_to_oneself_and_to_seeds_marked_and_counted_nowhere(
    staff: Client, mail_world: World, sink: SmtpSink
) -> None:
    world = mail_world
    list_ = SeedList.objects.create(brand=world.brand, name="The team")
    Seed.objects.create(list=list_, channel="email", value="Bia@acme.example", label="Bia")
    Seed.objects.create(list=list_, channel="sms", value="+5511999990000")
    person = world.person()
    known(person, "first_name", "Ana", 10)
    asked = {"person": str(person.customer.pk), "locale": "pt", "variables": '{"plan": "gold"}', "myself": "1",
             "do": "test", "lists": [str(list_.pk)], "connector": str(world.connector.pk)}  # fmt: skip
    assert staff.post(page_of(world), asked).status_code == 200
    mails = send(sink)
    assert sorted((mail["To"], mail["Subject"]) for mail in mails) == [
        ("Bia@acme.example", "[Teste] Olá Ana"),
        ("root@acme.example", "[Teste] Olá Ana"),
    ]
    assert {mail["List-Unsubscribe"] for mail in mails} == {None}
    rows = TestSend.objects.order_by("recipient")
    assert [(one.recipient, one.state, one.subject, one.text, one.profile_id) for one in rows] == [
        ("Bia@acme.example", "sent", "", "", person.profile.pk),
        ("root@acme.example", "sent", "", "", person.profile.pk),
    ]
    assert Message.objects.count() == 0
    assert AuditEntry.objects.filter(action="test_sent").count() == 1
    assert len(send(sink)) == 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"myself": ""}, "Nobody would get it: choose yourself or a seed list with addresses of this channel."),
        ({"connector": ""}, "Choose a connector to send it by."),
        ({"connector": "0190a000-0000-7000-8000-000000000000"}, "Choose a connector to send it by."),
        ({"variables": "{}"}, "Not sent: nothing is known for a field that has no default (event.plan is undefined)."),
        ({"person": "nobody@example.com"}, "No test was sent: what it is made of is not in order."),
    ],
)
def test_what_cannot_be_sent_is_told_and_nothing_goes(
    staff: Client, world: World, how: dict[str, str], words: str
) -> None:
    person = world.person(first_name="Ana")
    known(person, "first_name", "Ana", 10)
    asked = {"person": str(person.customer.pk), "variables": '{"plan": 1}', "myself": "1", "do": "test",
             "connector": str(world.connector.pk)} | how  # fmt: skip
    page = staff.post(page_of(world), asked, follow=True).content.decode()
    assert words in page
    assert TestSend.objects.count() == 0


@pytest.mark.parametrize("said_no", ["suppressed", "withdrawn"])
def test_who_said_no_gets_no_test_of_a_seed_list_either(staff: Client, world: World, said_no: str) -> None:
    person = world.person("ana@example.com", granted=False)
    if said_no == "suppressed":
        Suppression.objects.create(address=person.address, reason="complaint", created_at=NOW)
    else:
        world.tell(person, "withdrawn", NOW)
    list_ = SeedList.objects.create(brand=world.brand, name="The team")
    Seed.objects.create(list=list_, channel="email", value="ana@example.com")
    asked = {"variables": '{"plan": 1}', "do": "test", "lists": [str(list_.pk)], "connector": str(world.connector.pk)}
    page = staff.post(page_of(world), asked, follow=True).content.decode()
    assert "a•••@e••• wants nothing of this brand" in page
    assert TestSend.objects.count() == 0


def test_who_may_not_change_the_template_sends_no_test(client: Client, world: World) -> None:
    user = User.objects.create_user("reader", email="r@acme.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_templateversion", "add_testsend")))
    assign_perm("customers.view_brand", user, world.brand)
    client.force_login(user)
    assert "Send a test" not in client.get(page_of(world)).content.decode()
    assert client.post(page_of(world), {"myself": "1", "do": "test"}).status_code == 403


def asked_for(world: World, **fields: Any) -> TestSend:
    fields = {"asked_at": clock.utcnow(), **fields}
    return TestSend.objects.create(
        brand=world.brand, version=world.version, connector=world.connector, channel="email", locale="en",
        recipient="me@acme.example", compared="me@acme.example", key=new_id(), subject="S", html="<p>x</p>",
        text="T", **fields
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "state", "detail"),
    [
        ("bounce+me@acme.example", "failed", "550 5.1.1 no such mailbox (asked of the sandbox)"),
        ("timeout+me@acme.example", "unknown", "no answer (asked of the sandbox)"),
    ],
)
def test_what_became_of_it_is_told(world: World, wish: str, state: str, detail: str) -> None:
    test = asked_for(world)
    TestSend.objects.update(recipient=wish)
    assert send_all(clock.utcnow, 5)
    test.refresh_from_db()
    assert (test.state, test.detail, test.text) == (state, detail, "")


def test_nothing_goes_by_a_connector_that_is_stopped_or_off(world: World) -> None:
    stop(world.connector.pk, None, "", NOW)
    first = asked_for(world)
    assert send_all(clock.utcnow, 5)
    Connector.objects.update(is_active=False)
    second = asked_for(world)
    assert send_all(clock.utcnow, 5)
    found = {one.pk: (one.state, one.detail) for one in TestSend.objects.all()}
    assert found == {first.pk: ("failed", "stopped"), second.pk: ("failed", "connector_off")}


def test_one_whose_worker_died_is_unknown_and_never_sent_again(mail_world: World, sink: SmtpSink) -> None:
    test = asked_for(mail_world, state="sending", begun_at=clock.utcnow() - timedelta(hours=1))
    assert send(sink) == []
    test.refresh_from_db()
    assert (test.state, test.text) == ("unknown", "")


def test_no_more_go_at_once_than_a_list_holds(staff: Client, world: World) -> None:
    list_ = SeedList.objects.create(brand=world.brand, name="Too many")
    Seed.objects.bulk_create(Seed(list=list_, channel="email", value=f"s{n}@acme.example") for n in range(26))
    asked = {
        "locale": "en",
        "variables": '{"plan": 1}',
        "do": "test",
        "lists": [str(list_.pk)],
        "connector": str(world.connector.pk),
    }
    assert "At most 25 get a test at once." in staff.post(page_of(world), asked, follow=True).content.decode()
    assert TestSend.objects.count() == 0


def test_seeds_of_another_brand_are_nobodys(client: Client, world: World) -> None:
    user = User.objects.create_user("m", email="m@acme.example", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=("view_templateversion", "change_template", "add_testsend", "view_template")
        )
    )
    for permission in ("view_brand", "change_brand"):
        assign_perm(f"customers.{permission}", user, world.brand)
    foreign = type(world.brand).objects.create(key="other", name="Other", locale="en")
    list_ = SeedList.objects.create(brand=foreign, name="Theirs")
    Seed.objects.create(list=list_, channel="email", value="x@other.example")
    client.force_login(user)
    asked = {
        "locale": "en",
        "variables": '{"plan": 1}',
        "do": "test",
        "lists": [str(list_.pk)],
        "connector": str(world.connector.pk),
    }
    client.post(page_of(world), asked)
    assert TestSend.objects.count() == 0


def test_an_identifier_names_its_person(world: World) -> None:
    person = world.person()
    seen_in_the_brand(person)
    kind = IdentifierKind.objects.get(key="email")
    Identifier.objects.create(
        profile=person.profile, kind=kind, namespace="00000000-0000-0000-0000-000000000000", value="loyal@example.com",
        original="Loyal@example.com", opened_at=NOW,
    )  # fmt: skip
    found = find(User.objects.create_superuser("root"), "loyal@example.com", world.brand.pk, NOW)
    assert found is not None
    assert found.customer_id == person.customer.pk


@pytest.mark.parametrize("state", ["refused", "revoked", "invalidated"])
def test_any_no_of_the_brand_keeps_a_test_away(staff: Client, world: World, state: str) -> None:
    person = world.person("ana@example.com", granted=False)
    world.tell(person, state, NOW)
    assert TestSend.objects.filter(pk__in=_ask_for_seeds(staff, world)).count() == 0


def test_a_no_of_the_person_keeps_it_from_each_of_their_addresses(staff: Client, world: World) -> None:
    person = world.person("ana@example.com", granted=False)
    own = Address.objects.create(
        pk=person.profile.pk, channel="person", value=str(person.profile.pk), original="", created_at=NOW
    )
    people.tell(own, person.profile, world.purpose, "withdrawn", NOW)
    assert _ask_for_seeds(staff, world) == []


def test_what_they_say_between_asking_and_sending_counts(staff: Client, world: World) -> None:
    person = world.person("ana@example.com", granted=False)
    assert len(_ask_for_seeds(staff, world)) == 1
    world.tell(person, "withdrawn", clock.utcnow())
    assert send_all(clock.utcnow, 5)
    test = TestSend.objects.get()
    assert (test.state, test.detail, test.subject) == ("failed", "no_consent", "")


def test_what_waited_too_long_is_not_sent(world: World) -> None:
    test = asked_for(world, asked_at=clock.utcnow() - timedelta(hours=2))
    assert send_all(clock.utcnow, 5)
    test.refresh_from_db()
    assert (test.state, test.detail) == ("failed", "late")


def test_what_is_asked_twice_by_one_page_goes_once(staff: Client, world: World) -> None:
    key = str(new_id())
    for _twice in range(2):
        _ask_for_seeds(staff, world, key=key)
    assert TestSend.objects.count() == 1


def test_a_seed_list_of_another_brand_is_not_taken_though_it_may_be_seen(staff: Client, world: World) -> None:
    other = Brand.objects.create(key="other", name="Other", locale="en")
    theirs = SeedList.objects.create(brand=other, name="Theirs")
    Seed.objects.create(list=theirs, channel="email", value="x@other.example")
    TemplateText.objects.filter(version=world.version).update(subject="Hello", html="", text="x")
    staff.post(
        page_of(world), {"do": "test", "lists": [str(theirs.pk)], "connector": str(world.connector.pk), "locale": "en"}
    )
    assert TestSend.objects.count() == 0


def test_somebody_of_another_brand_alone_is_nobody_here(staff: Client, world: World) -> None:
    person = world.person()
    answer = staff.post(page_of(world), {"person": str(person.customer.pk)})
    assert "Nobody whom you may see is known by this." in answer.content.decode()


def test_a_draft_of_a_template_one_may_not_change_is_not_shown(client: Client, world: World) -> None:
    user = User.objects.create_user("m", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("add_templateversion", "view_templateversion", "view_template"))
    )
    client.force_login(user)
    assert client.post(reverse("admin:channels_templateversion_draft"), words_of(world)).status_code == 422


def _ask_for_seeds(staff: Client, world: World, **more: str) -> list[Any]:
    list_, _made = SeedList.objects.get_or_create(brand=world.brand, name="The team")
    Seed.objects.get_or_create(list=list_, channel="email", value="ana@example.com")
    TemplateText.objects.filter(version=world.version).update(subject="Hello", html="", text="x")
    asked = {"do": "test", "locale": "en", "lists": [str(list_.pk)], "connector": str(world.connector.pk)}
    assert staff.post(page_of(world), asked | more).status_code == 200
    return list(TestSend.objects.values_list("pk", flat=True))


# --- What it pulls --------------------------------------------------------------------------------------------------

SKY = "It is {{ pulled.weather.sky }} in {{ customer.city | default: 'town' }}."


@pytest.fixture
def system(settings: Any) -> Iterator[OtherSystem]:
    with other_system() as one:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{one.port}"]
        one.answer(body=b'{"sky": "grey"}')
        yield one


def pulls(world: World, system: OtherSystem, path: str = "/weather", **fields: Any) -> PulledSource:
    PulledHost.objects.get_or_create(brand=world.brand, host=f"127.0.0.1:{system.port}")
    TemplateText.objects.filter(version=world.version).update(subject="Hello", html="", text=SKY)
    return PulledSource.objects.create(version=world.version, name="weather", url=system.url + path, **fields)


def test_what_is_pulled_is_shown_also_where_nobody_is_chosen(staff: Client, world: World, system: OtherSystem) -> None:
    pulls(world, system)
    for _again in range(2):
        shown = staff.get(page_of(world)).context["shown"]
        assert (shown.fault, list(shown.notes), shown.rendered.text) == ("", [], "It is grey in town.")
    assert [call.path for call in system.received] == ["/weather"]


def test_what_stands_in_for_it_is_shown_with_the_reason(staff: Client, world: World, system: OtherSystem) -> None:
    source = pulls(world, system, "/weather?c={{ customer.city }}", missing="fallback", fallback={"sky": "some"})
    answer = staff.get(page_of(world))
    assert answer.context["rendered"].text == "It is some in town."
    said = "pulled.weather shows what stands in for it (customer.city is undefined)."
    assert answer.context["shown"].notes == [said]
    assert said in answer.content.decode()
    source.missing = "skip"
    source.save()
    fault = staff.get(page_of(world)).context["shown"].fault
    assert fault == "Not sent: pulled.weather could not be had (customer.city is undefined)."
    assert not system.received


def test_of_whom_one_may_not_read_nothing_is_asked_by_their_values(world: World, system: OtherSystem) -> None:
    source = pulls(world, system, "/weather?c={{ customer.city }}", missing="fallback", fallback={"sky": "some"})
    masked = Somebody({"city": "•••"}, "en", is_masked=True)
    ask = Ask(texts_of(world.version.pk), world.brand, NOW, masked, sources=[source])
    assert show(ask).notes == ["pulled.weather shows what stands in for it (its address holds what you may not read)."]
    assert not system.received


def test_a_draft_pulls_as_what_is_saved_and_saves_nothing(staff: Client, world: World, system: OtherSystem) -> None:
    pulls(world, system)
    drafted = {
        "texts-0-text": SKY,
        "sources-TOTAL_FORMS": "1",
        "sources-INITIAL_FORMS": "0",
        "sources-0-name": "weather",
        "sources-0-url": f"{system.url}/draft",
        "sources-0-timeout_ms": "1000",
        "sources-0-cache_seconds": "60",
        "sources-0-missing": "skip",
    }
    answer = staff.post(reverse("admin:channels_templateversion_draft"), words_of(world, **drafted))
    assert (answer.status_code, answer.context["rendered"].text) == (200, "It is grey in town.")
    assert [call.path for call in system.received] == ["/draft"]
    elsewhere = words_of(world, **drafted | {"sources-0-url": "https://elsewhere.example/"})
    assert staff.post(reverse("admin:channels_templateversion_draft"), elsewhere).status_code == 422
    assert PulledSource.objects.count() == 1
