"""Links put in the place of links: which ones, and everything else byte for byte."""

import time
from dataclasses import dataclass, field

import pytest

from channels.templates import Rendered
from channels.tracking.targets import Marks, may_lead
from channels.tracking.tokens import MOST_LINKS
from channels.tracking.words import tracked
from customers.ids import new_id
from tests.channels.tracking import LINK, PICTURE

PUBLIC = "http://127.0.0.1:8000"
UTM = {"utm_source": "acme", "utm_medium": "email", "utm_campaign": "spring sale", "utm_content": ""}


@dataclass
class Letter:
    id: object = field(default_factory=new_id)
    channel: str = "email"
    tracks_links: bool = True
    tracks_opens: bool = False
    links: list[str] = field(default_factory=list)
    utm: dict[str, str] | None = None
    web_hosts: list[str] = field(default_factory=list)


def of(html: str = "", text: str = "", **letter: object) -> tuple[str, str, list[str]]:
    """The words with L0, L1 … for tracked links and P for the picture, and where the links lead."""
    words = tracked(Letter(**letter), Rendered("", html, text, "en"))  # type: ignore[arg-type]  # as far as it is asked
    seen: dict[str, str] = {}
    name = lambda found: seen.setdefault(found[1], f"L{len(seen)}")  # noqa: E731 - two words
    return LINK.sub(name, PICTURE.sub("P", words.html)), LINK.sub(name, words.text), list(words.links)


@pytest.mark.parametrize(
    ("page", "made", "leads"),
    [
        ('<a href="https://a.example/x">x</a>', '<a href="L0">x</a>', ["https://a.example/x"]),
        ("<A class=b HREF='https://a.example/?a=1&amp;b=2#c'>x</A>", "<A class=b HREF='L0'>x</A>",
         ["https://a.example/?a=1&b=2#c"]),
        ("<a\n href = https://a.example/x>x</a>", "<a\n href = L0>x</a>", ["https://a.example/x"]),
        ('<area shape="rect" href="http://a.example"/>', '<area shape="rect" href="L0"/>', ["http://a.example"]),
        ('<a title="a > b" data-href="https://no.example" href="https://a.example/é?q=ü">x</a>',
         '<a title="a > b" data-href="https://no.example" href="L0">x</a>', ["https://a.example/é?q=ü"]),
        # In an attribute `&copy=` is no sign of copyright.
        ('<a href="https://a.example/?a=1&copy=2">x</a>', '<a href="L0">x</a>', ["https://a.example/?a=1&copy=2"]),
        ('<!--[if mso]><a href="https://a.example">x</a><![endif]-->', '<!--[if mso]><a href="L0">x</a><![endif]-->',
         ["https://a.example"]),
        ('<!--[if !mso]><!--><a href="https://a.example">x</a><!--<![endif]--><a href="https://b.example">y</a>',
         '<!--[if !mso]><!--><a href="L0">x</a><!--<![endif]--><a href="L1">y</a>',
         ["https://a.example", "https://b.example"]),
        ('<!--><a href="https://a.example">x</a>', '<!--><a href="L0">x</a>', ["https://a.example"]),
        ('<!---><a href="https://a.example">x</a>', '<!---><a href="L0">x</a>', ["https://a.example"]),
        ('<!----><a href="https://a.example">x</a>', '<!----><a href="L0">x</a>', ["https://a.example"]),
        # The first of two addresses is the one that browsers take.
        ('<a href="https://a.example" href="https://b.example">x</a>', '<a href="L0" href="https://b.example">x</a>',
         ["https://a.example"]),
        ('<a href="https://a.example">x</a><b>|</b><a href="https://b.example">y</a><a href="https://a.example">z</a>',
         '<a href="L0">x</a><b>|</b><a href="L1">y</a><a href="L0">z</a>', ["https://a.example", "https://b.example"]),
    ],
)  # fmt: skip
def test_links_of_a_page_lead_by_us(page: str, made: str, leads: list[str]) -> None:
    assert of(page) == (made, "", leads)


@pytest.mark.parametrize(
    "page",
    [
        '<a href="mailto:ana@example.com">x</a>',
        '<a href="tel:+5511999990000">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="#below">x</a>',
        '<a href="/path">x</a>',
        '<a href="//evil.example">x</a>',
        '<a href="/\\evil.example">x</a>',
        '<a href="https:evil.example">x</a>',
        '<a href="https://good.example@evil.example/">x</a>',
        '<a href="https://user:secret@good.example/">x</a>',
        '<a href="https://good.example:port/">x</a>',
        '<a href="https://[::1/">x</a>',
        '<a href="https://good.example\\@evil.example">x</a>',
        '<a href="https://good.example/a b">x</a>',
        '<a href="">x</a>',
        "<a href>x</a>",
        '<a data-untracked href="https://a.example">x</a>',
        '<a href="https://a.example" DATA-UNTRACKED="yes">x</a>',
        f'<a href="{PUBLIC}/u/abc.def">x</a>',
        f'<a href="{PUBLIC}/p/abc.def?lang=pt-br">x</a>',
        f'<a href="{PUBLIC}/c/abc.def">x</a>',
        f'<a href="{PUBLIC}/l/abc">x</a>',
        '<abbr href="https://a.example">x</abbr>',
        '<link href="https://a.example/x.css"><img src="https://a.example/x.png">',
        '<!-- <a href="https://a.example">x</a> -->',
        '<!-- > <a href="https://a.example">x</a> -->',
        '<style>/* <a href="https://a.example"> */</style>',
        '<a title="<a href=https://a.example>">x</a>',
        f'<a href="https://a.example/{"x" * 4_000}">x</a>',
    ],
)
def test_what_is_no_whole_address_of_the_web_stays_as_it_is(page: str) -> None:
    assert of(page) == (page, "", [])


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("See https://a.example/x.", "See L0."),
        ("(https://a.example/x)", "(L0)"),
        ("More (https://a.example/x_(y)), and so on", "More (L0), and so on"),
        ("https://a.example/?a=1&b=2#c!", "L0!"),
        ("“https://a.example”", "“L0”"),
        ("a.example and mailto:a@a.example", "a.example and mailto:a@a.example"),
    ],
)
def test_links_of_plain_words_end_where_the_sentence_goes_on(text: str, made: str) -> None:
    assert of("", text)[1] == made


def test_a_link_has_one_number_in_page_and_words() -> None:
    page, text, leads = of('<a href="https://a.example/?a=1&amp;b=2">x</a>', "https://a.example/?a=1&b=2")
    assert (page, text, leads) == ('<a href="L0">x</a>', "L0", ["https://a.example/?a=1&b=2"])


def test_numbers_of_an_earlier_try_lead_where_they_led() -> None:
    page, _text, leads = of(
        '<a href="https://b.example">x</a><a href="https://c.example">y</a>',
        links=["https://a.example", "https://b.example"],
    )
    assert leads == ["https://a.example", "https://b.example", "https://c.example"]
    assert page == '<a href="L0">x</a><a href="L1">y</a>'


@pytest.mark.parametrize("page", ["<p>Hi</p>", "<html><body>Hi</BODY></html>"])
def test_a_picture_stands_at_the_end_of_the_page(page: str) -> None:
    made, _text, _links = of(page, tracks_opens=True)
    begin, _end = made.split('<img src="P" width="1" height="1" alt="" style="border:0;height:1px;width:1px">')
    assert begin in ("<p>Hi</p>", "<html><body>Hi")


def test_only_mail_has_a_picture_and_only_where_there_is_a_page() -> None:
    assert of("", "Hi", tracks_opens=True) == ("", "Hi", [])
    assert of("", "Hi https://a.example", channel="sms", tracks_opens=True)[1] == "Hi L0"


@pytest.mark.parametrize("channel", ["push", "in_app", "web", "call"])
def test_channels_that_tell_themselves_are_left_alone(channel: str) -> None:
    assert of("", "https://a.example", channel=channel) == ("", "https://a.example", [])


def test_nothing_is_touched_where_nothing_is_counted() -> None:
    page = '<a href="https://a.example">x</a>'
    assert of(page, "https://a.example", tracks_links=False) == (page, "https://a.example", [])


@pytest.mark.parametrize(
    ("target", "marked"),
    [
        ("https://acme.example", "https://acme.example?utm_source=acme&utm_medium=email&utm_campaign=spring%20sale"),
        ("https://shop.ACME.example/x?a=1#b",
         "https://shop.ACME.example/x?a=1&utm_source=acme&utm_medium=email&utm_campaign=spring%20sale#b"),
        ("https://acme.example/?utm_source=mine&UTM=x",
         "https://acme.example/?utm_source=mine&UTM=x&utm_medium=email&utm_campaign=spring%20sale"),
        ("https://acme.example/?", "https://acme.example/?utm_source=acme&utm_medium=email&utm_campaign=spring%20sale"),
        ("https://acme.example/?utm_source=&utm_medium=&utm_campaign=#x",
         "https://acme.example/?utm_source=&utm_medium=&utm_campaign=#x"),
        ("https://acme.example.evil.example/", "https://acme.example.evil.example/"),
        ("https://notacme.example/", "https://notacme.example/"),
        ("https://münchen.example/", "https://münchen.example/?utm_source=acme&utm_medium=email&utm_campaign=spring%20sale"),
    ],
)  # fmt: skip
def test_links_to_the_brands_own_sites_carry_marks(target: str, marked: str) -> None:
    hosts = ["Acme.example", "xn--mnchen-3ya.example"]
    assert Marks(UTM, hosts).on(target) == marked


def test_marks_are_put_on_though_nobody_is_counted() -> None:
    page, _text, leads = of(
        '<a href="https://acme.example/?a=1&amp;b=2">x</a><a href="https://b.example">y</a>',
        tracks_links=False, utm={"utm_source": "acme"}, web_hosts=["acme.example"],
    )  # fmt: skip
    assert page == (
        '<a href="https://acme.example/?a=1&amp;b=2&amp;utm_source=acme">x</a><a href="https://b.example">y</a>'
    )
    assert leads == []


def test_no_more_links_are_kept_than_can_be_looked_at() -> None:
    page = "".join(f'<a href="https://a.example/{number}">x</a>' for number in range(MOST_LINKS + 5))
    made, _text, leads = of(page)
    assert len(leads) == MOST_LINKS
    assert made.endswith(f'<a href="https://a.example/{MOST_LINKS + 4}">x</a>')


@pytest.mark.parametrize(
    "piece", ['<a "', "<a href='", "<a ", "<style>", "<!--", "<!--[if", "<a href=https://a.example>", "<area x=\"'"]
)
def test_hostile_pages_take_no_longer_than_their_length(piece: str) -> None:
    begun = time.monotonic()
    of(piece * (400_000 // len(piece)))
    of("", "https://a.example/" + ")" * 4_000 + " " + "https://a.example/" + "(" * 200_000)
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize("target", ["https://a.example/x\n", "https://a.example/\x00", "ftp://a.example", "https://",
                                    "https://a.example:0/",
                                    "data:text/html,x", "https:///x", "HTTPS:a.example"])  # fmt: skip
def test_nothing_but_the_web_may_be_led_to(target: str) -> None:
    assert not may_lead(target)
