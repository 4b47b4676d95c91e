"""MJML becomes a page once, its Liquid kept; what is wrong is told with its line, and nothing ends the process."""

import re
import time

import pytest

from channels.liquid import Reader
from channels.mail.layout import LayoutError, to_html
from channels.mail.plain import to_text
from channels.templates import TemplateError, Text, check, render
from tests.channels.world import NOW

BODY = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"
LETTER = BODY.format(
    """
    <mj-text>Hello {{ customer.first_name | default: "you" }}{% if event.total < 9 %} & more{% endif %}</mj-text>
    {% for item in event.items %}
    <mj-text>{{ item.name }}: {{ item.cents | money: 'BRL' }}</mj-text>
    {% endfor %}
    <mj-image src="https://a.example/{{ event.picture }}.png" alt="{{ event.alt }}" />
    <mj-button href="{{ event.url }}">Go on</mj-button>"""
)
EVENT = {
    "total": 5,
    "items": [{"name": "Cup & saucer", "cents": 1990}, {"name": "Pot", "cents": 100}],
    "url": "https://a.example/cart?a=1&b=2",
    "picture": "cup",
    "alt": "A cup",
}


def filled(source: str, event: dict[str, object]) -> str:
    texts = [Text("en", "", to_html(source, "en"), "")]
    return render(texts, "en", "en", {"customer": {}, "event": event}, Reader(NOW)).html


def test_liquid_survives_and_is_filled_in_for_each_message() -> None:
    page = filled(LETTER, EVENT)
    assert "Hello you & more" in page
    assert "Cup &amp; saucer: R$19.90" in page
    assert "Pot: R$1.00" in page
    assert 'href="https://a.example/cart?a=1&amp;b=2"' in page
    assert 'src="https://a.example/cup.png"' in page
    assert 'alt="A cup"' in page
    assert not any(left in page for left in ("{{", "{%", "<mj-"))
    assert page.count('<td align="left"') == 3


def test_the_page_says_its_language_unless_its_author_did() -> None:
    assert '<html lang="pt-BR"' in to_html(BODY.format("<mj-text>Oi</mj-text>"), "pt-BR")
    assert '<html lang="en"' in to_html(BODY.format("").replace("<mjml>", '<mjml lang="en">'), "pt-BR")


def test_a_page_calls_nobody_that_its_author_did_not_name() -> None:
    page = to_html(BODY.format("<mj-text font-family='Roboto'>x</mj-text>"), "en")
    assert set(re.findall(r"https?://([^/\s\"'<)]+)", page)) == {"www.w3.org"}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("<mjml><mj-body>\n<mj-text>x</mj-body></mjml>", "mj-body is closed where it is not open, in line 2."),
        ("<mjml><mj-body>\n<mj-section>\n\n", "mj-section is not closed, in line 2."),
        ("<mjml>\n<mj-body>\n<mj-foo>x</mj-foo></mj-body></mjml>", "There is no element mj-foo, in line 3."),
        ('<mjml><mj-body>\n<mj-include path="/etc/passwd" /></mj-body></mjml>',
         "Nothing can be included from elsewhere, in line 2."),
        ('<mjml><mj-head><mj-include path="https://evil.example/x" /></mj-head><mj-body></mj-body></mjml>',
         "Nothing can be included from elsewhere, in line 1."),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><mjml><mj-body></mj-body></mjml>",
         "Declarations have no place in it, in line 1."),
        ("<?xml version='1.0'?><mjml></mjml>", "Declarations have no place in it, in line 1."),
        (BODY.format("\n<mj-text><mj-button>x</mj-button></mj-text>"),
         "mj-button cannot stand in mj-text, in line 2."),
        ("<p>x</p>", "It cannot be read as MJML: unexpected token, in line 1."),
        ("", "It cannot be read as MJML: unable to find mjml element."),
        (BODY.format("<mj-text>a < b</mj-text>"), "It cannot be read as MJML: unable to parse next template."),
        ("<mjml><mj-body>" + "<mj-section>" * 60 + "</mj-section>" * 60 + "</mj-body></mjml>",
         "Elements are nested too deep, in line 1."),
        (BODY.format("<mj-text>" + "<b>" * 6_000), "It has more than 262144 characters, or 3000 tags."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(source: str, why: str) -> None:
    with pytest.raises(LayoutError) as refusal:
        to_html(source, "en")
    assert str(refusal.value) == why


def test_what_is_nested_deep_does_not_end_the_process() -> None:
    assert "x" in to_html(BODY.format("<mj-text>" + "<b>" * 2_900 + "x" + "</b>" * 2_900 + "</mj-text>"), "en")


def test_a_value_is_as_safe_in_a_layout_as_in_a_page() -> None:
    check(to_html(LETTER, "en"), is_html=True)
    with pytest.raises(TemplateError, match="UnsafeValue"):
        filled(LETTER, EVENT | {"url": "javascript:alert(1)"})


def test_plain_words_keep_links_and_liquid() -> None:
    assert to_text(to_html(LETTER, "en")) == (
        'Hello {{ customer.first_name | default: "you" }}{% if event.total < 9 %} & more{% endif %}\n'
        "\n{% for item in event.items %}\n"
        "\n{{ item.name }}: {{ item.cents | money: 'BRL' }}\n"
        "\n{% endfor %}\n"
        "\n{{ event.alt }}\n"
        "\nGo on ({{ event.url }})\n"
    )


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<h1>A &amp; B</h1><p>one<br>two</p>", "A & B\n\none\ntwo\n"),
        ("<ul><li>one</li><li>two <a href='https://a.example/?a=1&amp;b=2'>here</a></li></ul>",
         "- one\n- two here (https://a.example/?a=1&b=2)\n"),
        ("<a href='mailto:a@a.example'>a@a.example</a> <a href='#top'>up</a> <a href='https://a.example'></a>",
         "a@a.example up https://a.example\n"),
        ("<head><title>x</title></head><style>p{}</style><script>x</script><div style='display: none'>pre</div>seen",
         "seen\n"),
        ("<div style='display:none'><div>a</div>b</div>seen", "seen\n"),
        ("<!--[if mso]>outlook<![endif]--><!--[if !mso]><!-->others<!--<![endif]-->", "others\n"),
        ("<img alt='A cup' src='x'><img src='y'>", "A cup\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc\n"),
        ("1 < 2 {{ a }}{% if b %}c{% endif %}", "1 < 2 {{ a }}{% if b %}c{% endif %}\n"),
        ("", "\n"),
        ("<" * 100_000, "<" * 100_000 + "\n"),
    ],
)  # fmt: skip
def test_what_a_page_says_to_whoever_reads_no_html(page: str, words: str) -> None:
    assert to_text(page) == words


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<head>{% assign n = 'Ana' %}</head><p>Hi {{ n }}</p>", "{% assign n = 'Ana' %}\n\nHi {{ n }}\n"),
        (
            '{% if a %}<div style="display:none">{% endif %}x {{ y }}</div><p>seen</p>',
            "{% if a %}{% endif %}\n\nseen\n",
        ),
        ("<!-- {% if a %} {{ x }} {% endif %} --><p>b</p>", "{% if a %}{% endif %}\n\nb\n"),
        ('<a title="1 > 0" href="https://a.example/">go</a>', "go (https://a.example/)\n"),
        ("<p title=it's>1 > 0</p>", "1 > 0\n"),
    ],
)
def test_plain_words_keep_what_steers_them_and_where_links_lead(page: str, said: str) -> None:
    assert to_text(page) == said


def test_signs_that_a_page_wrote_as_entities_are_no_liquid_in_plain_words() -> None:
    said = to_text("<p>&lbrace;&lbrace; x }} and &#123;% assign</p>")
    filled_in = render([Text("en", "", "", said)], "en", "en", {"x": "no"}, Reader(NOW)).text
    assert filled_in.strip() == "{{ x }} and {% assign"


def test_many_tags_that_never_end_take_no_longer_than_they_are_long() -> None:
    began = time.thread_time()
    to_text("<a title='" * 20_000)
    assert time.thread_time() - began < 1


def test_a_picture_behind_words_may_be_a_value() -> None:
    section = (
        '<mj-section background-url="{{ event.picture }}"><mj-column><mj-text>Hi</mj-text></mj-column></mj-section>'
    )
    page = to_html(f"<mjml><mj-body>{section}</mj-body></mjml>", "en")
    check(page, is_html=True)
    event = {"event": {"picture": "https://a.example/cup.png"}}
    shown = render([Text("en", "", page, "")], "en", "en", event, Reader(NOW)).html
    assert "url('https://a.example/cup.png')" in shown
    with pytest.raises(TemplateError):
        render([Text("en", "", page, "")], "en", "en", {"event": {"picture": "javascript:x"}}, Reader(NOW))


def test_what_is_for_pages_alone_is_not_in_the_plain_words() -> None:
    page = "<p>{{ brand.postal_address | escape | newline_to_br }} {{ x | upcase }}</p>"
    assert to_text(page) == "{{ brand.postal_address }} {{ x | upcase }}\n"
