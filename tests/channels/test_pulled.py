"""Pulled content: JSON of another system in the words of a message, within bounds, and what becomes of it without."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from channels.dispatch import dispatch_due
from channels.dispatch.extras import Fail, Later, Want
from channels.liquid import Reader
from channels.models import Message, PulledCopy, PulledHost, PulledSource, TemplateText, TemplateVersion
from channels.pulled import copies, hosts, loading, pulling
from channels.pulled.address import AddressError, check, fill, names_person
from channels.pulled.fetching import Got, Missed, fetch, read
from channels.secrets import seal
from channels.templates import MissingFieldError
from customers.models import Brand, Squad, SquadMember
from tests.channels.content import faults, write
from tests.channels.web_server import OtherSystem, breaks_off, drips, drops, floods, hangs, mumbles, other_system
from tests.channels.world import NOW, World, content, make_world, state

pytestmark = pytest.mark.django_db
READER = Reader(NOW)
WORDS = "It is {{ pulled.weather.sky }} in {{ customer.city | default: 'town' }}."


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def system(settings: Any) -> Iterator[OtherSystem]:
    with other_system() as one:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{one.port}"]
        yield one


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "-"))
    return client


def lists(world: World, system: OtherSystem, token: str = "") -> PulledHost:
    host = PulledHost(brand=world.brand, host=f"127.0.0.1:{system.port}")
    host.secret = seal({"token": token} if token else {}, hosts.place(host))
    host.save()
    return host


def says(world: World, system: OtherSystem, path: str = "/weather", text: str = WORDS, **fields: Any) -> PulledSource:
    """The version pulls `weather`, and its words name it."""
    TemplateText.objects.filter(version=world.version).update(subject="Hello", html="", text=text)
    return PulledSource.objects.create(version=world.version, name="weather", url=system.url + path, **fields)


def want(world: World, **context: Any) -> Want:
    who = uuid4()
    return Want(
        brand_id=world.brand.pk, purpose_id=world.purpose.pk, channel="email", profile_id=who, customer_id=who,
        address_id=who, locale="en", brand_locale="en", context=context, names=frozenset({("weather", "sky")}),
        version_id=world.version.pk,
    )  # fmt: skip


def load(*wants: Want, now: Any = NOW, seconds: float = 5.0) -> list[Any]:
    return list(loading.load(wants, now, time.monotonic() + seconds))


# --- A message takes it ---------------------------------------------------------------------------------------------


def test_a_message_says_what_was_pulled_and_keeps_it(world: World, system: OtherSystem) -> None:
    lists(world, system, "s3cret")
    says(world, system, "/weather?city={{ customer.city }}")
    system.answer(body=b'{"sky": "clear", "wind": null}')
    message = world.queue(world.person(city="São Paulo"))
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("sent", "")
    assert content(message).body == "It is clear in São Paulo."
    assert content(message).pulled == {"weather": {"from": "answer", "value": {"sky": "clear"}}}
    [asked] = system.received
    assert (asked.method, asked.path) == ("GET", "/weather?city=S%C3%A3o%20Paulo")
    assert asked.headers["authorization"] == "Bearer s3cret"


def test_what_is_pulled_is_data_and_never_a_template(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, text="-")
    TemplateText.objects.filter(version=world.version).update(html="<p>{{ pulled.weather.sky }}</p>")
    system.answer(body=json.dumps({"sky": "{{ customer.first_name }}<script>"}).encode())
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert content(message).body.startswith("<p>{{ customer.first_name }}&lt;script&gt;</p>")


def test_only_words_that_name_it_pull_anything(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, text="No weather today")
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert (state(message), system.received, content(message).pulled) == (("sent", ""), [], None)


def test_a_batch_asks_for_each_address_once(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, "/weather?city={{ customer.city }}", cache_seconds=0)
    system.answer(body=b'{"sky": "clear"}')
    for n in range(6):
        world.queue(world.person(f"p{n}@example.com", city="Recife" if n % 2 else "Natal"))
    dispatch_due(world.connector.pk, NOW)
    assert Message.objects.filter(state="sent").count() == 6
    assert sorted(one.path for one in system.received) == ["/weather?city=Natal", "/weather?city=Recife"]


# --- Without an answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "passes", "why"),
    [
        (hangs, True, "timeout"),
        (drips, True, "timeout"),
        (drops, True, "interrupted"),
        (breaks_off, True, "interrupted"),
        (mumbles, False, "bad_reply"),
        (floods, False, "too_large"),
        ((500, {}, b"{}"), True, "status 500"),
        ((503, {}, b"{}"), True, "status 503"),
        ((429, {}, b"{}"), True, "status 429"),
        ((404, {}, b"{}"), False, "status 404"),
        ((302, {"location": "http://127.0.0.1:1/"}, b""), False, "status 302"),
        ((204, {}, b""), False, "status 204"),
        ((200, {"content-type": "text/html"}, b"<html>"), False, "no JSON"),
        ((200, {"content-type": "application/json"}, b"{"), False, "no JSON"),
        ((200, {"content-type": "application/json"}, b"null"), False, "nothing in it"),
        ((200, {"content-type": "application/json"}, b'{"a": "\\u0000"}'), False, "no JSON"),
        ((200, {"content-type": "application/json"}, b"[" * 60_000), False, "no JSON"),
        ((200, {"content-type": "application/json"}, b"[" + b"1," * 20_000 + b"1]"), False, "too_large"),
        ((200, {"content-type": "application/json"}, b'"' + b"x" * 65_600 + b'"'), False, "too_large"),
    ],
)
def test_each_way_to_fail_has_its_name_and_is_tried_again_or_not(
    world: World, system: OtherSystem, answer: Any, passes: bool, why: str
) -> None:
    lists(world, system)
    says(world, system, timeout_ms=300)
    system.answers = [answer]
    begun = time.monotonic()
    [found] = load(want(world))
    assert time.monotonic() - begun < 1
    assert isinstance(found, Later if passes else Fail)
    assert (found.reason, found.detail) == ("pull_failed", f"pulled.weather: {why}")
    assert PulledCopy.objects.filter(body__isnull=False).count() == 0


def test_what_passes_is_tried_again_until_it_is_too_late(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system)
    system.answer(503)
    message = world.queue(world.person(), expires_at=NOW + timedelta(minutes=2))
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("queued", "pull_failed")
    assert Message.objects.get(pk=message).due_at > NOW
    system.answers = []
    system.answer(body=b'{"sky": "clear"}')
    dispatch_due(world.connector.pk, NOW + timedelta(seconds=45))
    assert state(message) == ("sent", "")
    late = world.queue(world.person("late@example.com"), expires_at=NOW + timedelta(minutes=2))
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=3))
    assert state(late) == ("expired", "late")


def test_what_does_not_pass_fails_its_message_with_a_reason(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system)
    system.answer(404)
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("failed", "pull_failed")
    assert Message.objects.get(pk=message).detail == "pulled.weather: status 404"


def test_what_stands_in_for_it_is_said_instead(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, missing="fallback", fallback={"sky": "somehow"})
    system.answer(503)
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert content(message).body == "It is somehow in town."
    assert content(message).pulled == {"weather": {"from": "fallback: status 503", "value": {"sky": "somehow"}}}


def test_a_name_that_no_source_has_is_a_missing_field(world: World, system: OtherSystem) -> None:
    says(world, system, text="{{ pulled.wether.sky }}")
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("failed", "missing_field")
    assert "pulled.wether" in Message.objects.get(pk=message).detail


def test_a_value_that_the_address_lacks_is_named_and_not_said(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, "/w/{{ customer.city }}")
    [found] = load(want(world, customer={}))
    assert found == Fail("pull_failed", "pulled.weather: customer.city is undefined")
    assert system.received == []


# --- Which hosts ----------------------------------------------------------------------------------------------------


def test_a_host_that_the_brand_does_not_list_is_not_asked(world: World, system: OtherSystem) -> None:
    host = lists(world, system)
    host.brand = Brand.objects.create(key="other", name="Other")
    host.save()
    says(world, system)
    [found] = load(want(world))
    assert found == Fail("pull_failed", "pulled.weather: its host is not on the brand’s list")
    assert system.received == []


def test_a_listed_host_that_leads_inside_is_not_called(world: World, system: OtherSystem, settings: Any) -> None:
    settings.TRILHA_CALL_HOSTS = []
    for name in ("localhost", "169.254.169.254", "10.0.0.1"):
        PulledHost.objects.create(brand=world.brand, host=name)
        came = fetch(f"https://{name}/", "", 1.0)
        assert came == Missed("refused_address")
    assert system.received == []


def test_one_whose_secret_cannot_be_read_is_not_asked_without_it(world: World, system: OtherSystem) -> None:
    host = lists(world, system)
    PulledHost.objects.filter(pk=host.pk).update(secret=b"broken")
    says(world, system)
    assert isinstance(load(want(world))[0], Fail)
    assert system.received == []


@pytest.mark.parametrize(
    "source",
    [
        "",
        "weather",
        "http://api.example.com/",
        "https://API.example.com/",
        "https://api.example.com@evil.example/",
        "https://api.example.com:22/",
        "https://{{ customer.host }}/",
        "https://api.example.com{{ customer.x }}/",
        "https://api.example.com\\evil.example/",
        "https://api.example.com/a b",
        "https://api.example.com/#x",
        "https://api.example.com/../x",
        "https://api.example.com/{{ x",
        "https://api.example.com/{{ x | url_encode }}",
        "https://api.example.com/{% include 'x' %}",
        "file:///etc/passwd",
        "ftp://api.example.com/",
    ],
)
def test_what_is_no_address_with_a_host_written_out_is_not_saved(source: str) -> None:
    with pytest.raises(AddressError):
        check(source)


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("a b", "a%20b"),
        ("../admin", "..%2Fadmin"),
        ("x?y=1#z", "x%3Fy%3D1%23z"),
        ("@evil.example/", "%40evil.example%2F"),
        ("\r\nHost: evil", "%0D%0AHost%3A%20evil"),
        ("é", "%C3%A9"),
        (7, "7"),
    ],
)
def test_a_value_stays_one_part_of_the_address(value: object, filled: str) -> None:
    source = "https://api.example.com/w/{{ customer.city }}/x"
    check(source)
    assert fill(source, {"customer": {"city": value}}, READER) == f"https://api.example.com/w/{filled}/x"


@pytest.mark.parametrize("value", ["..", ".", "x" * 2_000])
def test_a_value_that_leads_elsewhere_makes_no_address(value: str) -> None:
    with pytest.raises(AddressError):
        fill("https://api.example.com/w/{{ customer.city }}/x", {"customer": {"city": value}}, READER)
    with pytest.raises(MissingFieldError):
        fill("https://api.example.com/{{ customer.city }}", {"customer": {}}, READER)


# --- What is known, and who rests -----------------------------------------------------------------------------------


def test_an_answer_is_good_for_a_while_and_for_everybody(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, cache_seconds=60)
    for sky in ("clear", "dark"):
        system.answer(body=json.dumps({"sky": sky}).encode())
    skies = [load(want(world), now=NOW + timedelta(seconds=after))[0]["weather"]["sky"] for after in (0, 59, 70, 80)]
    assert (skies, len(system.received)) == (["clear", "clear", "dark", "dark"], 2)


def test_another_brand_is_told_by_its_own_secret(world: World, system: OtherSystem) -> None:
    assert copies.key_of(world.brand.pk, "https://a.example/") != copies.key_of(uuid4(), "https://a.example/")


def test_values_of_a_person_mark_the_answer_and_an_erasure_takes_it(world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, "/weather?city={{ customer.city }}")
    system.answer(body=b'{"sky": "clear"}')
    load(want(world, customer={"city": "Recife"}))
    assert PulledCopy.objects.get().is_personal
    assert not names_person("https://a.example/{{ brand.name }}/{{ today | date: '%Y' }}")
    assert names_person("https://a.example/{{ event.id }}")


def test_old_answers_go(world: World, system: OtherSystem) -> None:
    for key, before in ((uuid4(), 11), (uuid4(), 9)):
        PulledCopy.objects.create(key=key, body={}, is_personal=False, expires_at=NOW - timedelta(minutes=before))
    assert copies.prune(NOW) == 1
    assert PulledCopy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_want_the_same_ask_once(settings: Any) -> None:
    world = make_world()
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        lists(world, system)
        says(world, system)
        system.answers = [slowly]
        found: list[Any] = []
        workers = [threading.Thread(target=_load_into, args=(found, world)) for _n in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [dict(one[0]) for one in found] == [{"weather": {"sky": "clear"}}] * 5
        assert len(system.received) == 1


def slowly(handler: Any) -> None:
    time.sleep(0.4)
    body = b'{"sky": "clear"}'
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _load_into(found: list[Any], world: World) -> None:
    from django.db import connection

    try:
        found.append(load(want(world)))
    finally:
        connection.close()


def test_whoever_waits_for_one_that_gave_up_waits_no_longer(world: World) -> None:
    key = uuid4()
    copies.claim({key: False}, NOW)
    copies.let_go([key])
    begun = time.monotonic()
    assert pulling._awaited([key], NOW, begun + 3) == {key: pulling.LATE}
    assert time.monotonic() - begun < 1


def test_a_hanging_host_costs_a_batch_four_seconds_at_most_and_then_rests(world: World, system: OtherSystem) -> None:
    host = lists(world, system)
    says(world, system, "/w?n={{ customer.n }}", timeout_ms=600)
    system.answers = [hangs]
    begun = time.monotonic()
    found = load(*(want(world, customer={"n": n}) for n in range(60)))
    assert time.monotonic() - begun < pulling.MOST_SECONDS + 0.5
    assert all(isinstance(one, Later) for one in found)
    assert len(system.received) < 20
    host.refresh_from_db()
    assert (host.rests, host.rests_until) == (1, NOW + timedelta(seconds=15))
    asked = len(system.received)
    begun = time.monotonic()
    [resting] = load(want(world, customer={"n": 99}), now=NOW + timedelta(seconds=10))
    assert resting.detail == "pulled.weather: the host rests"
    assert (time.monotonic() - begun < 0.3, len(system.received)) == (True, asked)


def test_after_its_rest_it_is_tried_by_one_and_used_again_when_it_answers(world: World, system: OtherSystem) -> None:
    host = lists(world, system)
    PulledHost.objects.filter(pk=host.pk).update(failures=3, rests=1, rests_until=NOW)
    says(world, system, "/w?n={{ customer.n }}", cache_seconds=0, timeout_ms=2_000)
    system.answer(503)
    wants = [want(world, customer={"n": n}) for n in range(10)]
    assert {one.detail for one in load(*wants)} == {"pulled.weather: status 503", "pulled.weather: the host rests"}
    assert len(system.received) == 1
    host.refresh_from_db()
    assert (host.rests, host.rests_until, host.detail) == (2, NOW + timedelta(seconds=30), "status 503")
    system.answers = []
    system.answer(body=b'{"sky": "clear"}')
    later = NOW + timedelta(seconds=31)
    load(wants[0], now=later)
    host.refresh_from_db()
    assert (host.failures, host.rests, host.rests_until) == (0, 0, None)
    assert [one["weather"]["sky"] for one in load(*wants, now=later)] == ["clear"] * 10


def test_json_is_read_within_bounds() -> None:
    assert read(b'{"a": [1, {"b": null, "c": "x"}]}') == Got({"a": [1, {"c": "x"}]})
    assert read(b"\xff") == Missed("no JSON")


# --- The pages ------------------------------------------------------------------------------------------------------


def post(staff: Client, world: World, **source: Any) -> Any:
    values = {"name": "weather", "timeout_ms": "500", "cache_seconds": "60", "missing": "skip", **source}
    more = {f"sources-0-{name}": str(value) for name, value in values.items()}
    texts = {"texts-TOTAL_FORMS": "1", "texts-INITIAL_FORMS": "0", "texts-0-locale": "en", "texts-0-text": WORDS}
    form = {"template": str(world.version.template_id), "sources-TOTAL_FORMS": "1", "sources-INITIAL_FORMS": "0"}
    return staff.post(reverse("admin:channels_templateversion_add"), form | texts | more)


def told(answer: Any) -> list[str]:
    formset = answer.context["inline_admin_formsets"][1].formset
    return [str(said) for form in formset.forms for all_ in form.errors.values() for said in all_]


def test_a_version_says_what_it_pulls_and_the_next_begins_with_it(
    staff: Client, world: World, system: OtherSystem
) -> None:
    lists(world, system)
    assert post(staff, world, url=system.url + "/w?c={{ customer.city }}").status_code == 302
    made = TemplateVersion.objects.latest("number")
    source = PulledSource.objects.get(version=made)
    assert (source.name, source.timeout_ms, source.cache_seconds, source.fallback) == ("weather", 500, 60, {})
    page = staff.get(f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}")
    [begun] = [form.initial for form in page.context["inline_admin_formsets"][1].formset.forms if form.initial]
    assert (begun["name"], begun["url"]) == ("weather", source.url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://unlisted.example/"},
        {"url": "javascript:alert(1)"},
        {"name": "Weather"},
        {"name": "we.ather"},
        {"timeout_ms": "2001"},
        {"timeout_ms": "0"},
        {"cache_seconds": "3601"},
        {"cache_seconds": "-1"},
        {"missing": "shrug"},
        {"fallback": "{"},
    ],
)
def test_what_cannot_be_pulled_so_is_refused(
    staff: Client, world: World, system: OtherSystem, wrong: dict[str, str]
) -> None:
    lists(world, system)
    answer = post(staff, world, **({"url": system.url + "/"} | wrong))
    assert answer.status_code == 200
    assert told(answer)
    assert TemplateVersion.objects.count() == 1


def test_words_that_are_sent_in_without_a_word_of_sources_have_none(staff: Client, world: World) -> None:
    assert write(staff, world, {"text": "Hi"}).status_code == 302, faults
    assert PulledSource.objects.count() == 0


def test_it_can_be_tried_out_and_nothing_is_kept(staff: Client, world: World, system: OtherSystem) -> None:
    lists(world, system)
    says(world, system, "/w?c={{ customer.city }}")
    page = reverse("admin:channels_templateversion_pulled", args=[world.version.pk])
    assert "customer.city" in staff.get(page).content.decode()
    assert system.received == []
    system.answer(body=b'{"sky": "<b>clear</b>"}')
    shown = staff.post(page, {"values": '{"customer": {"city": "Recife"}}'}).content.decode()
    assert "&lt;b&gt;clear&lt;/b&gt;" in shown
    assert [one.path for one in system.received] == ["/w?c=Recife"]
    assert PulledCopy.objects.count() == 0
    assert "customer.city is undefined" in staff.post(page, {"values": "{}"}).content.decode()
    for broken in ("[]", "{", "x" * 30_000, "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")):
        assert "These values are no JSON object." in staff.post(page, {"values": broken}).content.decode()


def test_who_writes_no_versions_tries_none_out(client: Client, world: World, system: OtherSystem) -> None:
    user = User.objects.create_user("agent", is_staff=True)
    user.groups.add(Group.objects.get(name="agent"))
    SquadMember.objects.create(
        squad=Squad.objects.create(brand=world.brand, name="One"), user=user, role=SquadMember.Role.PROCESS_OWNER
    )
    client.force_login(user)
    page = reverse("admin:channels_templateversion_pulled", args=[world.version.pk])
    assert client.post(page, {"values": "{}"}).status_code == 403
    assert system.received == []


def test_a_token_is_kept_sealed_and_never_shown(staff: Client, world: World) -> None:
    form = {"host": "api.acme.example", "brand": str(world.brand.pk), "token": "s3cret-token"}
    assert staff.post(reverse("admin:channels_pulledhost_add"), form).status_code == 302
    host = PulledHost.objects.get()
    assert hosts.secret_of(host) == "s3cret-token"
    assert b"s3cret" not in bytes(host.secret)
    page = reverse("admin:channels_pulledhost_change", args=[host.pk])
    assert "s3cret" not in staff.get(page).content.decode()
    assert staff.post(page, {"token": ""}).status_code == 302
    assert hosts.secret_of(PulledHost.objects.get()) == "s3cret-token"
    assert staff.post(page, {"token": "", "forget": "on"}).status_code == 302
    assert hosts.secret_of(PulledHost.objects.get()) == ""


@pytest.mark.parametrize("host", ["https://a.example", "a.example/x", "A.example", "a example", "", "user@a.example"])
def test_a_host_is_a_host(staff: Client, world: World, host: str) -> None:
    form = {"host": host, "brand": str(world.brand.pk)}
    assert staff.post(reverse("admin:channels_pulledhost_add"), form).status_code == 200
    assert PulledHost.objects.count() == 0
