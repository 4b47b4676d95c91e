"""Links that lead by us, from the letter to the site: who follows them, what is counted, and what is nobody's."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from channels import stops
from channels.dispatch import dispatch_due
from channels.models import Campaign, CampaignMember, Message, MessageContent, Receipt
from channels.providers.base import DeliveryError
from channels.tracking import tokens
from channels.tracking.follow import Visit, follow
from channels.tracking.visitors import machine
from consent.models import Preference, Purpose
from customers.ids import new_id
from customers.models import Brand
from tests.channels.doubles import Recorder
from tests.channels.tracking import BROWSER, LATER, LINK, PICTURE, applied, get, path, sent, words
from tests.channels.world import NOW, World, content, make_world, state
from tests.statements import counted

SITE = "https://shop.example/new?a=1&b=é#top"
HTML = (
    '<p><a href="https://shop.example/new?a=1&amp;b=é#top">New</a> <a href="https://shop.example/{{ event.plan }}">'
    'Yours</a> <a href="{{ unsubscribe_url }}">Stop</a></p>'
)


@pytest.fixture
def world(db: None, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world("recorder")
    words(made, HTML, "New: https://shop.example/new?a=1&b=é#top")
    at(monkeypatch, LATER)
    return made


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: moment)


def receipts() -> list[tuple[str, int | None, bool, str]]:
    return list(Receipt.objects.order_by("id").values_list("happened", "link", "is_machine", "code"))


def test_a_link_leads_where_it_was_to_lead_and_moves_the_message_on(world: World) -> None:
    message, page, text = sent(world)
    first, second = LINK.findall(page)
    assert LINK.findall(text) == [first]
    answer = get(f"http://127.0.0.1:8000/l/{first}")
    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/new?a=1&b=%C3%A9#top")
    assert "no-store" in answer["Cache-Control"]
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert get(f"/l/{second}")["Location"] == "https://shop.example/gold"
    assert content(message).links == [SITE, "https://shop.example/gold"]
    assert state(message) == ("sent", "")


def test_what_is_kept_of_the_letter_has_its_own_links_and_the_way_out_stays(world: World) -> None:
    message, page, _text = sent(world)
    kept = content(message).body
    assert 'href="https://shop.example/gold"' in kept
    assert "/l/" not in kept
    assert "/o/" not in kept
    assert page.count("/u/") == 1
    [way_out] = [call.outgoing.unsubscribe_url for call in Recorder.calls]
    assert f'href="{way_out}"' in page


def test_followed_and_opened_as_a_person(world: World) -> None:
    message, page, _text = sent(world)
    picture = PICTURE.search(page)
    assert picture is not None
    answer = get(picture[0])
    assert (answer.status_code, answer["Content-Type"], "no-store" in answer["Cache-Control"]) == (
        200, "image/gif", True,
    )  # fmt: skip
    applied(LATER)
    assert state(message) == ("sent", "")
    applied(LATER + timedelta(seconds=2))
    assert state(message) == ("opened", "")
    get(LINK.search(page)[0])  # type: ignore[index]  # it is there
    applied(LATER + timedelta(seconds=2))
    assert state(message) == ("clicked", "")
    assert receipts() == [("opened", None, False, ""), ("clicked", 0, False, "")]


def test_where_links_lead_is_committed_before_the_provider_is_called(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def call(self: Any, outgoing: Any, deadline: float) -> Any:
        seen.append((state(outgoing.message_id), content(outgoing.message_id).links))
        raise SystemExit("killed")

    monkeypatch.setattr("tests.channels.doubles.RecorderSession.send", call)
    message = world.queue(world.person())
    with pytest.raises(SystemExit):
        dispatch_due(world.connector.pk, NOW)
    assert seen == [(("dispatching", ""), [SITE, "https://shop.example/gold"])]
    # The worker is dead, the message perhaps with the provider: its links lead.
    assert state(message) == ("dispatching", "")
    assert get(f"/l/{tokens.link_token(message, 1)}")["Location"] == "https://shop.example/gold"


def test_a_later_try_takes_no_link_of_an_earlier_one_away(world: World) -> None:
    Recorder.errors.append(DeliveryError("busy", retry_after=60.0))
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("queued", "trouble")
    first = content(message).links
    MessageContent.objects.filter(pk=message).update(context={"plan": "silver"})
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=5))
    assert content(message).links == [*first, "https://shop.example/silver"]
    numbers = [tokens.read_link(one)[1] for one in LINK.findall(Recorder.calls[-1].outgoing.html)]
    assert numbers == [0, 2]


def flipped(token: str, place: int) -> str:
    packed = bytearray(urlsafe_b64decode(token))
    packed[place] ^= 1
    return urlsafe_b64encode(packed).decode()


@pytest.mark.parametrize("place", [0, 15, 16, 17, 18, 29])
def test_a_changed_token_leads_nowhere(world: World, place: int) -> None:
    _message, page, _text = sent(world)
    token = flipped(LINK.findall(page)[0], place)
    assert get(f"/l/{token}").status_code == 404
    assert get(f"/o/{flipped(PICTURE.findall(page)[0], place)}.gif").status_code == 404
    assert receipts() == []


@pytest.mark.parametrize(
    "asked",
    ["x", "A" * 40, "A" * 39, "A" * 41, "é" * 40, "!" * 40, "A" * 36 + "====", "https:evil.example",
     "%2F%2Fevil.example", "\\evil.example", "A" * 5_000, "!" + "A" * 39, "AA==" + "A" * 36, "A" * 38 + "=="],
)  # fmt: skip
def test_what_is_no_token_leads_nowhere(db: None, asked: str) -> None:
    assert get(f"/l/{asked}").status_code == 404
    assert get(f"/o/{asked}.gif").status_code == 404


def test_a_token_has_one_spelling(world: World) -> None:
    tokens_ = (tokens.link_token(new_id(), number) for number in range(500))
    token = next(one for one in tokens_ if {"-", "_"} <= set(one))
    assert tokens.read_link(token)[1] < 500
    for other in (token.replace("-", "+"), token.replace("_", "/"), f"{token}\n", f"{token}=", f" {token}"):
        with pytest.raises(tokens.BadToken):
            tokens.read_link(other)


@pytest.mark.parametrize("query", ["u=https://evil.example", "url=//evil.example", "next=https://evil.example",
                                   "u=https:evil.example", "u=https://good@evil.example"])  # fmt: skip
def test_the_query_leads_nowhere(world: World, query: str) -> None:
    _message, page, _text = sent(world)
    token = LINK.findall(page)[0]
    assert get(f"/l/{token}?{query}")["Location"].startswith("https://shop.example/new?a=1")
    answer = get(f"/l/{flipped(token, 20)}?{query}")
    assert (answer.status_code, answer.get("Location")) == (404, None)


def test_a_picture_opens_no_link_and_a_link_is_no_picture(world: World) -> None:
    message, _page, _text = sent(world)
    assert get(f"/l/{tokens.open_token(message)}").status_code == 404
    assert get(f"/o/{tokens.link_token(message, 0)}.gif").status_code == 404


def test_a_number_that_the_message_does_not_have_is_gone(world: World) -> None:
    message, _page, _text = sent(world)
    assert get(f"/l/{tokens.link_token(message, 7)}").status_code == 410
    assert get(f"/l/{tokens.link_token(new_id(), 0)}").status_code == 410
    assert receipts() == []


def test_of_the_erased_nothing_leads_anywhere_and_nothing_is_noted(world: World) -> None:
    message, page, _text = sent(world)
    MessageContent.objects.filter(pk=message).delete()
    answer = Client().get(path(LINK.search(page)[0]), headers={"User-Agent": BROWSER, "Accept-Language": "pt-BR"})  # type: ignore[index]  # it is there
    assert answer.status_code == 410
    assert "Este link acabou" in answer.content.decode()
    picture = get(PICTURE.search(page)[0])  # type: ignore[index]  # it is there
    assert (picture.status_code, picture["Content-Type"]) == (410, "image/gif")
    assert receipts() == []


def test_links_open_by_a_key_that_was_rotated_out_until_it_is_forgotten(world: World, settings: Settings) -> None:
    _message, page, _text = sent(world)
    link = LINK.search(page)[0]  # type: ignore[index]  # it is there
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-key-" * 6, [settings.SECRET_KEY]
    assert get(link).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    assert get(link).status_code == 404


def test_a_look_ahead_counts_for_nothing(world: World) -> None:
    _message, page, _text = sent(world)
    client = Client(headers={"User-Agent": BROWSER})
    assert client.head(path(LINK.search(page)[0])).status_code == 302  # type: ignore[index]  # it is there
    assert client.head(path(PICTURE.search(page)[0])).status_code == 200  # type: ignore[index]  # it is there
    assert client.post(path(LINK.search(page)[0])).status_code == 405  # type: ignore[index]  # it is there
    assert receipts() == []


def test_a_double_click_is_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message, page, _text = sent(world)
    link = LINK.search(page)[0]  # type: ignore[index]  # it is there
    assert [get(link).status_code for _time in range(3)] == [302, 302, 302]
    at(monkeypatch, LATER + timedelta(minutes=1))
    get(link)
    applied(LATER + timedelta(hours=1))
    assert receipts() == [("clicked", 0, False, "")] * 2
    assert list(Receipt.objects.values_list("outcome", flat=True).order_by("id")) == ["moved", "known"]
    assert state(message) == ("clicked", "")


@pytest.mark.parametrize(("seconds", "is_machine"), [(0, True), (4, True), (6, False)])
def test_nobody_reads_a_letter_as_it_arrives(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, is_machine: bool
) -> None:
    message, page, _text = sent(world)
    settled = Message.objects.get(pk=message).settled_at
    assert settled is not None
    at(monkeypatch, settled + timedelta(seconds=seconds))
    get(LINK.search(page)[0])  # type: ignore[index]  # it is there
    applied(LATER)
    assert receipts() == [("clicked", 0, is_machine, "too_soon" if is_machine else "")]
    # What a machine followed has arrived, and no more.
    assert state(message) == ("delivered" if is_machine else "clicked", "")


def test_whoever_follows_all_links_at_once_is_a_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message, page, _text = sent(world)
    first, second = LINK.findall(page)
    get(f"/l/{first}")
    at(monkeypatch, LATER + timedelta(seconds=0.9))
    get(f"/l/{second}")
    applied(LATER + timedelta(seconds=5))
    assert receipts() == [("clicked", 0, True, "many_at_once"), ("clicked", 1, True, "many_at_once")]
    assert state(message) == ("delivered", "")
    # The person comes later.
    at(monkeypatch, LATER + timedelta(minutes=5))
    get(f"/l/{second}")
    applied(LATER + timedelta(minutes=6))
    assert state(message) == ("clicked", "")


def test_the_picture_that_is_fetched_beside_many_links_is_fetched_by_a_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, page, _text = sent(world)
    get(PICTURE.search(page)[0])  # type: ignore[index]  # it is there
    for seconds, link in zip((0.8, 1.6), LINK.findall(page), strict=True):
        at(monkeypatch, LATER + timedelta(seconds=seconds))
        get(f"/l/{link}")
    for seconds in (2, 5):
        applied(LATER + timedelta(seconds=seconds))
    assert receipts() == [
        ("opened", None, True, "many_at_once"),
        ("clicked", 0, True, "many_at_once"),
        ("clicked", 1, True, "many_at_once"),
    ]
    assert state(message) == ("delivered", "")
    # The person comes later.
    at(monkeypatch, LATER + timedelta(minutes=5))
    get(PICTURE.search(page)[0])  # type: ignore[index]  # it is there
    applied(LATER + timedelta(minutes=6))
    assert state(message) == ("opened", "")


def test_who_opens_and_follows_one_link_at_once_is_a_person(world: World) -> None:
    message, page, _text = sent(world)
    get(PICTURE.search(page)[0])  # type: ignore[index]  # it is there
    get(LINK.search(page)[0])  # type: ignore[index]  # it is there
    other, words_of_other, _text = sent(world, world.person("other@example.com"))
    get(f"/l/{LINK.findall(words_of_other)[1]}")
    applied(LATER + timedelta(seconds=5))
    assert receipts() == [("opened", None, False, ""), ("clicked", 0, False, ""), ("clicked", 1, False, "")]
    assert (state(message), state(other)) == (("clicked", ""), ("clicked", ""))


def test_two_links_one_after_the_other_are_a_persons(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message, page, _text = sent(world)
    first, second = LINK.findall(page)
    get(f"/l/{first}")
    at(monkeypatch, LATER + timedelta(seconds=3))
    get(f"/l/{second}")
    applied(LATER + timedelta(seconds=9))
    assert receipts() == [("clicked", 0, False, ""), ("clicked", 1, False, "")]
    assert state(message) == ("clicked", "")


@pytest.mark.parametrize(
    ("agent", "known_by"),
    [
        (BROWSER, ""),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36", ""),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", ""),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", ""),
        ("Mozilla/5.0", "apple_mail_privacy"),
        ("", "no_browser"),
        ("   ", "no_browser"),
        ("facebookexternalhit/1.1 Facebot Twitterbot/1.0", "program"),
        ("WhatsApp/2.24.1 A", "program"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "program"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "program"),
        ("SkypeUriPreview Preview/0.5", "program"),
        ("Barracuda Sentinel (EE)", "program"),
        ("python-requests/2.32", "program"),
        ("curl/8.9", "program"),
        ("Mozilla/5.0 HeadlessChrome/149", "program"),
        ("Mozilla/5.0 " + "x" * 100_000, ""),
    ],
)  # fmt: skip
def test_machines_are_known_by_what_they_say(agent: str, known_by: str) -> None:
    assert machine({"User-Agent": agent}) == known_by


@pytest.mark.parametrize("said", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"},
                                  {"X-Purpose": "preview"}])  # fmt: skip
def test_what_is_fetched_ahead_is_fetched_by_a_machine(said: dict[str, str]) -> None:
    assert machine({"User-Agent": BROWSER, **said}) == "prefetched"


def test_what_a_machine_opened_is_counted_apart(world: World) -> None:
    message, page, _text = sent(world)
    get(PICTURE.search(page)[0], "Mozilla/5.0")  # type: ignore[index]  # it is there
    get(PICTURE.search(page)[0])  # type: ignore[index]  # it is there
    applied(LATER + timedelta(seconds=3))
    assert receipts() == [("opened", None, True, "apple_mail_privacy"), ("opened", None, False, "")]
    assert state(message) == ("opened", "")


@pytest.mark.parametrize(
    ("kind", "chosen", "links", "opens"),
    [
        ("marketing", (None, None), True, True),
        ("marketing", (False, None), False, True),
        ("marketing", (True, False), True, False),
        ("service", (None, None), False, False),
        ("service", (True, None), True, False),
        ("legal", (None, None), False, False),
    ],
)
def test_what_is_counted_is_up_to_the_purpose(
    world: World, kind: str, chosen: tuple[bool | None, bool | None], links: bool, opens: bool
) -> None:
    Purpose.objects.update(kind=kind, tracks_links=chosen[0], tracks_opens=chosen[1])
    words(world, '<a href="https://shop.example/x">x</a>', "https://shop.example/x")
    message, page, text = sent(world)
    assert bool(LINK.search(page)) == bool(LINK.search(text)) == links
    assert bool(PICTURE.search(page)) == opens
    assert content(message).links == (["https://shop.example/x"] if links else [])
    if not links and not opens:
        assert page == '<a href="https://shop.example/x">x</a>'


def test_a_test_send_is_counted_nowhere(world: World) -> None:
    message, page, text = sent(world, origin_kind="test")
    assert not LINK.search(page + text)
    assert not PICTURE.search(page)
    assert content(message).links == []


def test_a_message_of_a_campaign_marks_links_to_the_brands_sites(world: World) -> None:
    Brand.objects.update(web_hosts=["shop.example"])
    spring = Campaign.objects.create(brand=world.brand, key="spring", name="Spring", utm_source="mail & co")
    CampaignMember.objects.create(scope_id=world.journey_id, campaign=spring, added_at=NOW)
    message, _page, _text = sent(world)
    assert content(message).links[1] == (
        "https://shop.example/gold?utm_source=mail%20%26%20co&utm_medium=email&utm_campaign=spring"
    )


@pytest.mark.parametrize(("days", "marked"), [((0, 0), True), ((1, 2), False), ((-2, -1), False), ((None, 0), True)])
def test_only_on_the_campaigns_days(world: World, days: tuple[int | None, int], marked: bool) -> None:
    Brand.objects.update(web_hosts=["shop.example"], zone="Pacific/Kiritimati")
    # There it is the third already.
    today = NOW.date() + timedelta(days=1)
    first, last = (None if one is None else today + timedelta(days=one) for one in days)
    spring = Campaign.objects.create(brand=world.brand, key="spring", name="Spring", starts_on=first, ends_on=last)
    CampaignMember.objects.create(scope_id=world.journey_id, campaign=spring, added_at=NOW)
    message, _page, _text = sent(world)
    assert ("utm_campaign=spring" in content(message).links[1]) == marked


def statements_of(world: World, email: str) -> int:
    message = world.queue(world.person(email))
    with counted() as made:
        dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("sent", "")
    return len(made)


def test_tracking_costs_no_statement_more(world: World) -> None:
    Purpose.objects.update(tracks_links=False, tracks_opens=False)
    without = statements_of(world, "one@example.com")
    Purpose.objects.update(tracks_links=None, tracks_opens=None)
    assert statements_of(world, "other@example.com") == without


def test_following_a_link_is_one_statement(world: World) -> None:
    _message, page, _text = sent(world)
    with counted() as made:
        get(LINK.search(page)[0])  # type: ignore[index]  # it is there
    assert len([one for one in made if "channels_" in one]) == 1


def test_a_stop_of_the_campaign_holds_its_messages(world: World) -> None:
    spring = Campaign.objects.create(brand=world.brand, key="spring", name="Spring")
    CampaignMember.objects.create(scope_id=world.journey_id, campaign=spring, added_at=NOW)
    message: UUID = world.queue(world.person())
    stops.stop(spring.pk, None, "", NOW)
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "stopped")
    assert Recorder.calls == []
    stops.release(spring.pk, NOW)
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=2))
    assert state(message) == ("sent", "")


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_are_one_and_move_the_message_once(
    recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("recorder")
    words(world, '<a href="https://shop.example/x">x</a>')
    message, _page, _text = sent(world)
    visit = Visit(LATER)
    gate = Barrier(6)

    def come() -> str:
        try:
            gate.wait(timeout=10)
            return follow(message, 0, visit)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        led = [one.result() for one in [pool.submit(come) for _visitor in range(6)]]
    assert led == ["https://shop.example/x"] * 6
    applied(LATER + timedelta(seconds=2))
    assert receipts() == [("clicked", 0, False, "")]
    assert state(message) == ("clicked", "")


def test_who_asked_not_to_be_seen_is_not_and_gets_where_they_want(world: World) -> None:
    ana = world.person()
    _message, page, _text = sent(world, ana)
    Preference.objects.create(address=ana.address, brand=world.brand, is_untracked=True, changed_at=NOW)
    assert get(LINK.search(page)[0]).status_code == 302  # type: ignore[index]  # it is there
    assert get(PICTURE.search(page)[0]).status_code == 200  # type: ignore[index]  # it is there
    assert receipts() == []
    later, page, text = sent(world, ana)
    assert not LINK.search(page + text)
    assert not PICTURE.search(page)
    assert content(later).links == []
