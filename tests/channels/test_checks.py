"""Checks of a template: what would go wrong with somebody who gets it, told before anybody does."""

from dataclasses import replace
from typing import Any

import pytest

from channels.checks import Level, Template, findings
from channels.checks.colours import colour, contrast
from channels.checks.page import read
from channels.checks.segments import segments_of
from channels.models import TemplateText
from channels.templates import Text
from customers.models import ProfileBrand
from tests.channels.world import NOW, World

PAGE = (
    '<html lang="en"><head><title>T</title></head><body><p>Hi {{{{ customer.first_name | default: "you" }}}}</p>{}'
    '<a href="{{{{ unsubscribe_url }}}}">Leave</a><p>{{{{ brand.postal_address }}}}</p></body></html>'
)
PLAIN = "Hi\nLeave: {{ unsubscribe_url }}\n{{ brand.postal_address }}"


def mail(world: World, body: str = "", **fields: Any) -> Template:
    text = Text("en", "Hello", PAGE.format(body), PLAIN)
    return Template("email", world.brand, [replace(text, **fields)])


def said(template: Template) -> list[tuple[str, str]]:
    return [(one.level.value, one.text) for one in findings(template)]


def test_nothing_is_found_in_a_mail_that_is_in_order(world: World) -> None:
    body = (
        '<p style="color:#111">Dear</p><img src="https://a.test/i.png" alt=""><a href="https://a.test/x">The shop</a>'
    )
    assert said(mail(world, body)) == []


@pytest.mark.parametrize(
    ("body", "level", "words"),
    [
        ('<a href="">Shop now</a>', "fault", "The link “Shop now” leads nowhere."),
        ("<a>Shop now</a>", "fault", "The link “Shop now” leads nowhere."),
        ('<a href="#">Shop now</a>', "fault", "The link “Shop now” leads nowhere."),
        (
            '<a href="/cart">Shop now</a>',
            "fault",
            "The link “Shop now” leads nowhere from a mail: its address is to begin with https://.",
        ),
        ('<a href="http://[::1">Shop now</a>', "fault", "The address of the link “Shop now” cannot be read."),
        (
            '<a href="http://shop.test/">Shop now</a>',
            "warning",
            "The link “Shop now” is not encrypted: let it begin with https://.",
        ),
        (
            '<a href="https://www.example.com/">Shop now</a>',
            "warning",
            "The link “Shop now” leads to an address that is only for samples.",
        ),
        (
            '<a href="https://shop.test/"></a>',
            "warning",
            "A link to https://shop.test/ has no words: who has it read aloud does not know what it is for.",
        ),
        (
            '<a href="https://shop.test/">Click here!</a>',
            "note",
            "“Click here!” does not say where the link leads: who jumps from link to link hears only that.",
        ),
        (
            '<img src="https://shop.test/i.png">',
            "warning",
            "The picture https://shop.test/i.png says nothing to who cannot see it:"
            " give it an alt, empty if it only decorates.",
        ),
        ('<img alt="">', "fault", "A picture has no address."),
        (
            '<img src="http://shop.test/i.png" alt="">',
            "warning",
            "Many mail programs do not show the picture http://shop.test/i.png: its address is to begin with https://.",
        ),
        (
            '<div style="background:#ffffff"><p style="color:#999999">pale words</p></div>',
            "warning",
            "“pale words” is hard to read where it stands: its contrast is 2.8 and not 4.5.",
        ),
    ],
)
def test_what_is_wrong_in_a_page_is_told_and_nothing_else(world: World, body: str, level: str, words: str) -> None:
    assert said(mail(world, body)) == [(level, words)]


def test_links_and_pictures_that_a_value_makes_are_not_judged(world: World) -> None:
    assert said(mail(world, '<a href="{{ brand.name }}">Shop</a><img src="{{ brand.name }}" alt="x">')) == []


def test_a_link_of_a_picture_has_the_words_of_the_picture(world: World) -> None:
    body = '<a href="https://shop.test/"><img src="https://shop.test/i.png" alt="The shop"></a>'
    assert said(mail(world, body)) == []


@pytest.mark.parametrize(
    "body",
    [
        '<h1 style="color:#767676">Large</h1>',
        '<p style="color:#888;background-image:url(https://a.test/i.png)">Over a picture</p>',
        '<p style="color:{{ brand.name }}">By a value</p>',
        '<p style="display:none;color:#fefefe">unseen</p>',
        '<p style="color:#fff;background:#003366">White on blue</p>',
        '<table bgcolor="#003366"><tr><td style="color:#ffffff">White on blue</td></tr></table>',
    ],
)
def test_words_that_can_be_read_or_of_which_it_is_not_known_are_left_alone(world: World, body: str) -> None:
    assert said(mail(world, body)) == []


def test_a_mail_without_a_way_out_an_address_or_a_subject_is_told_so(world: World) -> None:
    assert said(mail(world, html='<html lang="en"><p>Hi</p></html>', text="Hi", subject=" ")) == [
        ("fault", "There is no subject."),
        (
            "warning",
            "No way out in HTML: marketing needs a link to {{ unsubscribe_url }} or {{ preferences_url }}.",
        ),
        (
            "warning",
            "No way out in the plain text: marketing needs a link to {{ unsubscribe_url }} or {{ preferences_url }}.",
        ),
        ("warning", "The brand’s postal address is missing, which marketing needs: {{ brand.postal_address }}."),
    ]


def test_a_mail_that_gmail_would_cut_is_told_so(world: World) -> None:
    assert said(mail(world, f"<p>{'x' * 103 * 1024}</p>")) == [
        ("warning", "The page has 103 KB. Gmail cuts what is over 102 KB, the way out included.")
    ]


def test_who_lacks_a_field_without_a_default_is_counted(world: World) -> None:
    known: list[dict[str, Any]] = [{}, {"plan": "pro"}, {"plan": None, "first_name": None}]
    for n, traits in enumerate(known):
        person = world.person(f"p{n}@example.com", **traits)
        ProfileBrand.objects.create(profile=person.profile, brand=world.brand, first_seen_at=NOW)
    body = "{{ customer.plan }}{{ customer.nick }}{% if customer.club %}{{ customer.club }}{% endif %}{{ event.total }}"
    assert said(mail(world, f"<p>{body}</p>")) == [
        ("fault", "Nobody has customer.nick, of 3 people asked, and without a default nobody gets a message."),
        ("warning", "2 of 3 people asked lack customer.plan and would get no message: give it a default."),
        ("note", "It needs event.total of whatever sends it: where that says nothing, there is no message."),
    ]


def test_a_name_that_no_message_knows_is_a_fault_and_one_of_the_texts_own_is_none(world: World) -> None:
    body = "{% assign n = 3 %}{{ n }}{% for one in event.items %}{{ one.name }}{% endfor %}{{ costumer.name }}"
    assert said(mail(world, f"<p>{body}</p>")) == [("fault", "No message knows costumer.name: it would never be sent.")]


def test_languages_that_differ_or_lack_are_told(world: World) -> None:
    texts = [
        Text("pt", "Oi", "", "Sair: {{ unsubscribe_url }} {{ brand.postal_address }} {{ event.total | default: 0 }}"),
        Text("es", "Hola", "", "Salir: {{ unsubscribe_url }} {{ brand.postal_address }}"),
    ]
    found = [(one.level, one.locale, one.text) for one in findings(Template("email", world.brand, texts))]
    assert found == [
        (Level.WARNING, "", "There are no words in en, the brand’s own language."),
        (Level.NOTE, "es", "Other languages also tell: event.total."),
    ]


def test_an_sms_tells_its_parts_and_its_way_out(world: World) -> None:
    sms = Template("sms", world.brand, [Text("en", "", "", "Olá, tudo bem? Não perca")])
    assert said(sms) == [
        ("warning", "No way out is named: marketing says by which word it ends, such as STOP or SAIR."),
        ("note", "Sent and paid as 1 part (24 characters, without what is filled in)."),
        ("note", "Because of á ã a part holds 70 characters in place of 160."),
    ]


@pytest.mark.parametrize(
    ("text", "count", "is_gsm", "places"),
    [
        ("", 0, True, 0),
        ("a" * 160, 1, True, 160),
        ("a" * 161, 2, True, 161),
        ("a" * 306, 2, True, 306),
        ("a" * 307, 3, True, 307),
        ("€" * 80, 1, True, 160),
        # An extended sign is never parted: 152 and an € make no 154.
        ("a" * 152 + "€" * 6, 2, True, 164),
        ("a" * 152 + "€" + "a" * 151, 2, True, 305),
        ("a" * 152 + "€" + "a" * 152, 3, True, 306),
        ("ã" * 70, 1, False, 70),
        ("ã" * 71, 2, False, 71),
        ("ã" * 134, 2, False, 134),
        ("ã" * 135, 3, False, 135),
        ("😀" * 35, 1, False, 70),
        ("😀" * 36, 2, False, 72),
        # 66 places are left whole by an emoji of two.
        ("ã" * 66 + "😀" + "ã" * 66, 3, False, 134),
        ("àéèìòùÇñ", 1, True, 8),
        ("ç", 1, False, 1),
    ],
)
def test_an_sms_is_counted_as_its_carriers_do(text: str, count: int, is_gsm: bool, places: int) -> None:
    found = segments_of(text)
    assert (found.count, found.is_gsm, found.places) == (count, is_gsm, places)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#fff", 21.0), ("#777777", "white", 4.48), ("rgb(118, 118, 118)", "#ffffff", 4.54), ("red", "RED", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    first, second = colour(one), colour(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("said_", ["rgba(0,0,0,.5)", "currentcolor", "var(--x)", "#12345", "hsl(1 2% 3%)"])
def test_a_colour_that_cannot_be_known_is_none(said_: str) -> None:
    assert colour(said_) is None


def test_a_page_that_never_closes_anything_is_read_to_its_end() -> None:
    page = read("<p><b><a href='x'>one<p>two" * 200 + "<img src=y" + "<" * 500)
    assert len(page.links) == 200


def test_what_the_demo_world_has_is_read_without_a_fault(world: World) -> None:
    texts = [
        Text(one.locale, one.subject, one.html, one.text) for one in TemplateText.objects.filter(version=world.version)
    ]
    assert {one.level for one in findings(Template("email", world.brand, texts))} <= set(Level)


@pytest.mark.parametrize(
    "html",
    ['<p style="color:rgba(0,0,0,.)">x</p>', "<![bogus foo]><p>x</p>", f'<b style="font-weight:{"9" * 5000}">x</b>'],
)
def test_a_page_that_is_none_breaks_no_check(world: World, html: str) -> None:
    assert {one.level for one in findings(mail(world, html))} <= {Level.FAULT, Level.WARNING}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("javascript:alert(1)", "would run something"),
        ("data:text/html,x", "would run something"),
        ("https:///x", "cannot be read"),
        ("mailto:", "cannot be read"),
        ("https://exa mple.test", "cannot be read"),
    ],
)
def test_a_link_that_no_mail_program_follows_is_a_fault(world: World, address: str, words: str) -> None:
    ((level, text),) = said(mail(world, f'<a href="{address}">Shop now</a>'))
    assert (level, words in text) == ("fault", True)


def test_a_mark_in_the_page_is_no_link_and_leads_to_it(world: World) -> None:
    assert said(mail(world, '<a name="top"></a><a href="#top">To the beginning</a>')) == []


@pytest.mark.parametrize(
    "body",
    [
        '<style>.w { color: #fff }</style><p class="w" style="background:#003366">By a rule</p>',
        '<table><tr><td background="https://a.test/i.png" style="color:#fff">Over a picture</td></tr></table>',
        '<p style="visibility:hidden;color:#fff">unseen</p>',
        '<p style="color:#eee;opacity:.5">not known</p>',
        '<p style="background:linear-gradient(#fff,#000);color:#777">not known</p>',
    ],
)
def test_contrast_that_is_not_known_is_no_fault(world: World, body: str) -> None:
    assert said(mail(world, body)) == []


@pytest.mark.parametrize(
    "body",
    [
        '<font color="eeeeee">pale</font>',
        '<table bgcolor="ffffff"><tr><td style="color:#ddd">pale</td></tr></table>',
        '<p style="color:#eee!important;color:#000">pale</p>',
    ],
)
def test_pale_words_are_found_however_they_are_written(world: World, body: str) -> None:
    assert [level for level, _text in said(mail(world, body))] == ["warning"]


def test_a_way_out_in_a_comment_is_none_and_a_word_in_a_word_neither(world: World) -> None:
    hidden = "{% comment %}{{ unsubscribe_url }} {{ brand.postal_address }}{% endcomment %}Buy"
    assert len(said(mail(world, html="", text=hidden))) == 2
    sms = Template("sms", world.brand, [Text("en", "", "", "Nonstop sale")])
    assert said(sms)[0][1].startswith("No way out is named")


def test_what_stands_besides_the_words_is_looked_through(world: World) -> None:
    push = Template("push", world.brand, [Text("en", "Hi", "", "Hello", {"link": "https://a.test/{{ costumer.x }}"})])
    assert said(push) == [("fault", "No message knows costumer.x: it would never be sent.")]


def test_how_many_there_are_is_asked_of_what_was_named_before(world: World) -> None:
    person = world.person(tags=["a"])
    ProfileBrand.objects.create(profile=person.profile, brand=world.brand, first_seen_at=NOW)
    body = "{{ customer.tags.size }} {{ customer.tags.first }}{% assign customer = customer.vip %}{{ customer.x }}"
    assert said(mail(world, f"<p>{body}</p>")) == []


def test_two_hundred_fields_are_counted_by_one_question(world: World, django_assert_max_num_queries: Any) -> None:
    fields = " ".join(f"{{{{ customer.f{n} }}}}" for n in range(200))
    with django_assert_max_num_queries(3):
        findings(mail(world, f"<p>{fields}</p>"))
