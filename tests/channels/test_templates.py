"""Liquid in bounds: the right language, no values where markup is, no message with a hole in it."""

import time
from datetime import UTC, datetime

import pytest
from django.utils.translation import override

from channels.liquid import Abort, Reader, bounds
from channels.templates import (
    MissingFieldError,
    Rendered,
    TemplateError,
    TemplateLimitError,
    Text,
    check,
    plain,
    render,
)

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
READER = Reader(NOW, "en", "America/Sao_Paulo", "BRL")
CONTEXT = {"customer": {"first_name": "Ana"}, "event": {"items": [{"name": "Cup"}, {"name": "Pot"}]}}


def fill(text: str = "", *, subject: str = "", html: str = "", **context: object) -> Rendered:
    return render([Text("en", subject, html, text)], "en", "en", CONTEXT | context, READER)


@pytest.mark.parametrize(
    ("locales", "wanted", "brand", "chosen"),
    [
        (["en", "pt", "pt-BR"], "pt-BR", "en", "pt-BR"),
        (["en", "pt"], "pt-BR", "en", "pt"),
        (["en", "pt"], "pt_br", "en", "pt"),
        (["en", "es"], "pt-BR", "en-GB", "en"),
        (["es", "fr"], "pt-BR", "de", "es"),
        (["en", "es"], "", "es", "es"),
    ],
)
def test_the_closest_locale_is_chosen(locales: list[str], wanted: str, brand: str, chosen: str) -> None:
    texts = [Text(locale, "", "", locale) for locale in locales]
    assert render(texts, wanted, brand, {}, READER).text == chosen


def test_a_template_without_texts_is_an_error() -> None:
    with pytest.raises(TemplateError):
        render([], "en", "en", {}, READER)


def test_html_is_escaped_and_text_is_not() -> None:
    name = {"first_name": '<script>"'}
    rendered = fill("{{ customer.first_name }}", html="{{ customer.first_name }}", customer=name)
    assert (rendered.text, rendered.html) == ('<script>"', "&lt;script&gt;&#34;")


def test_what_a_person_typed_is_never_a_template() -> None:
    name = {"first_name": "{{ event.items }}{% include 'x' %}"}
    assert fill("{{ customer.first_name }}", customer=name).text == name["first_name"]


def test_no_line_break_reaches_the_subject() -> None:
    name = {"first_name": "Ana\r\nBcc: eve@example.com\u2028x"}
    assert fill(subject="Hi {{ customer.first_name }}", customer=name).subject == "Hi Ana Bcc: eve@example.com x"


@pytest.mark.parametrize(
    "source",
    [
        "Hi {{ customer.nick }}",
        "{{ customer.nick | upcase }}",
        "{{ customer.a.b }}",
        "{{ customer.__class__ }}",
    ],
)
def test_a_missing_field_is_an_error(source: str) -> None:
    with pytest.raises(MissingFieldError):
        fill(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ customer.nick | default: 'you' }}", "Hi you"),
        ("{% if customer.nick %}{{ customer.nick }}{% else %}you{% endif %}", "you"),
        ("{% unless customer.nick %}none{% endunless %}", "none"),
        ("{% for item in event.items %}{{ item.name }};{% endfor %}", "Cup;Pot;"),
    ],
)
def test_a_template_may_be_ready_for_a_missing_field(source: str, text: str) -> None:
    assert fill(source).text == text


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in (1..99999) %}{% endfor %}",
        "{% for a in (1..999) %}{% for b in (1..999) %}x{% endfor %}{% endfor %}",
        "{% for a in (1..9999) %}{{ long }}{% endfor %}",
        "x" * 300_000,
    ],
)
def test_what_goes_out_of_bounds_is_refused(source: str) -> None:
    with pytest.raises(TemplateLimitError):
        fill(source, long="y" * 1000)


@pytest.mark.parametrize(
    "source",
    [
        "{% include '/etc/passwd' %}",
        "{% render 'x' %}",
        "{% load x %}",
        "{{ 'x' | safe }}",
        "{{ 'x' | nothing }}",
        "{% if %}",
        "{{ 1",
        "{% abort customer.first_name %}",
        "{% abort %}",
        "{% abort ' ' %}",
        f"{{% abort '{'x' * 121}' %}}",
    ],
)
def test_what_can_never_be_rendered_is_not_saved(source: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        check(source)
    assert not isinstance(refusal.value, TemplateLimitError)


def test_what_a_value_cannot_do_is_told_when_it_is_filled_in() -> None:
    with pytest.raises(TemplateError, match="FilterArgument in line 1"):
        fill("{{ 1 | divided_by: 0 }}")


def test_all_texts_of_a_message_draw_on_one_budget() -> None:
    source = "{% for a in (1..9000) %}{% if true %}{% endif %}{% endfor %}"
    assert fill(source).text == ""
    with pytest.raises(TemplateLimitError, match="too much work in line 1"):
        fill(source, subject=source, html=source)


def test_what_is_parsed_for_the_first_time_is_not_the_messages_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_SECONDS", 0.01)
    source = "<b>first</b>" + "{{ customer.first_name }}" * 400
    assert fill(html=source).html == "<b>first</b>" + "Ana" * 400


def test_a_page_of_many_tags_is_looked_through_but_once() -> None:
    source = '<p a="">' * 30_000 + "{{ x }}"
    begun = time.thread_time()
    check(source, is_html=True)
    assert time.thread_time() - begun < 0.5


def test_a_pause_that_was_not_the_messages_own_is_forgiven_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("channels.liquid.bounds.time.thread_time", lambda: now[0])
    budget = bounds.Budget()
    now[0] += 10
    budget.spend(1_000)
    now[0] += bounds.MAX_SECONDS / 2
    budget.spend(1_000)
    now[0] += bounds.MAX_SECONDS
    with pytest.raises(bounds.LimitError, match="takes too long"):
        budget.spend(1_000)


def test_what_was_looked_up_by_a_value_does_not_tell_it() -> None:
    with pytest.raises(MissingFieldError) as missing:
        fill("Hi\n{{ customer[customer.first_name].x | upcase }}")
    assert str(missing.value) == "customer[customer.first_name].x is undefined"


@pytest.mark.parametrize(
    ("html", "value"),
    [
        ('<a href="{{ x }}">', "javascript:alert(1)"),
        ("<a href='{{ x }}'>", " java\tscript:alert(1)"),
        ('<a href="{{ x }}">', "\x01javascript:alert(1)"),
        ('<a href="{{ x }}">', "data:text/html,x"),
        ('<img alt="" src="{{ x }}">', "vbscript:x"),
        ('<a href="{{ y }}{{ x }}">', ":alert(1)"),
        ('<a href="{% if x %}{{ x }}{% else %}https://a.example/{% endif %}">', "javascript:1"),
        ('<a href="{% if y %}https://a.example/{% else %}x{% endif %}{{ x }}">', "javascript:1"),
        ('{% capture z %}{{ x }}{% endcapture %}<a href="{{ z }}">', "javascript:alert('1')"),
        ('<p style="background: {{ x }}">', "url(https://evil.example)"),
        ('<p style="background: url({{ x }})">', "javascript:alert(1)"),
        ('<p style="background: url({{ x }})">', "//evil.example/i.png"),
        ('<p style="background: url({{ x }})">', "https://a.example/i.png) no-repeat, url(https://evil.example"),
        ("<p style='background: url(\"{{ x }}\")'>", 'https://a.example/i.png"'),
        ('<p style="background: url(https://a.example/{{ x }}.png)">', "i.png); color: red"),
        ('<p style="background: url(https://a.example/i.png); color: {{ x }}">', "https://a.example/"),
        ("<style>p { color: {{ x }} }</style>", "red } body { display: none"),
        ('<!--[if mso]><a href="{{ x }}"></a><![endif]-->', "javascript:1"),
        ('<!--[if !mso]><!--><a href="{{ x }}"></a><!--<![endif]-->', "javascript:1"),
        ('<a title="İİİİİİ" href="{{ x }}">', "javascript:1"),
        ('<a title="a"href="{{ x }}">', "javascript:1"),
        ('<a title=it\'s href="{{ x }}">', "javascript:1"),
        ('<{% if x %}a href="{{ x }}"{% endif %}>', "javascript:1"),
        ('<a href="{{ x }}:{{ y }}">', "javascript"),
        ('<a href="{% if x %}{{ x }}{% endif %}://{{ y }}">', "javascript"),
        ('{% comment %}<!-- {% endcomment %}<a href="{{ x }}">', "javascript:1"),
        ('{% raw %}{{{% endraw %}<a href="{{ x }}">', "javascript:1"),
        ('<a href="{% capture z %}https://a.example/{% endcapture %}{{ x }}">', "javascript:1"),
        ('<a href="{% comment %}https://a.example/{% endcomment %}{{ x }}">', "javascript:1"),
    ],
)
def test_a_value_that_would_act_where_it_stands_fails_the_message(html: str, value: str) -> None:
    with pytest.raises(TemplateError, match="UnsafeValue in line 1"):
        fill(html=html, x=value, y="javascript")


@pytest.mark.parametrize(
    ("html", "value", "made"),
    [
        ('<a href="{{ x }}">', "https://a.example/?a=1&b=2", '<a href="https://a.example/?a=1&amp;b=2">'),
        ('<a href="{{ x }}">', "mailto:ana@example.com", '<a href="mailto:ana@example.com">'),
        ('<a href="{{ x }}">', "/cart?next=a:b", '<a href="/cart?next=a:b">'),
        ('<a href="https://a.example/{{ x }}">', "a:b", '<a href="https://a.example/a:b">'),
        ('<p title="{{ x }}">', '" onmouseover="x', '<p title="&#34; onmouseover=&#34;x">'),
        ('<p style="color: {{ x }}">', "#fff", '<p style="color: #fff">'),
        (
            "<p style=\"b: url('{{ x }}')\">",
            "https://a.example/i.png?a=1",
            "<p style=\"b: url('https://a.example/i.png?a=1')\">",
        ),
        (
            '<p style="b: URL(&quot;https://a/{{ x }}&quot;)">',
            "i-2.png",
            '<p style="b: URL(&quot;https://a/i-2.png&quot;)">',
        ),
        ('<meta name="x" title="{{ x }}">', "a", '<meta name="x" title="a">'),
        ('<a href="{{ x }}://a.example">', "https", '<a href="https://a.example">'),
        ('<img alt="" src="cid:{{ x }}">', "cup", '<img alt="" src="cid:cup">'),
        ('<a href="{% if x %}{{ x }}{% else %}https://b.example{% endif %}">', "/a", '<a href="/a">'),
        ("<!-->{{ x }}", "a:b", "<!-->a:b"),
        ("{% comment %}it is <b {% endcomment %}{{ x }}", "a:b", "a:b"),
        ("a < b, <b>{{ x }}</b>", "javascript:1", "a < b, <b>javascript:1</b>"),
        ("<script>1 < 2</script><b>{{ x }}</b>", "x", "<script>1 < 2</script><b>x</b>"),
        ('<!-- <a href=" -->{{ x }}', "a:b", '<!-- <a href=" -->a:b'),
    ],
)
def test_a_value_that_does_no_harm_where_it_stands_is_escaped_for_it(html: str, value: str, made: str) -> None:
    assert fill(html=html, x=value).html == made


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("<p {{ x }}>", "a value in a tag stands in quotes in line 1"),
        ("<a\nhref={{ x }}>", "a value in a tag stands in quotes in line 2"),
        ('<p onclick="{{ x }}">', "no value may stand in a script in line 1"),
        ("<script>{{ x }}</script>", "no value may stand in a script in line 1"),
        ('<a href="javascript:{{ x }}">', "no value may stand in a script in line 1"),
        ("<{{ x }}>", "a value in a tag stands in quotes in line 1"),
        ('<meta http-equiv="refresh" content="0;url={{ x }}">', "no value may stand in a script in line 1"),
        ("<p {% cycle x, 'b' %}>", "no value may stand here in line 1"),
    ],
)
def test_where_no_value_is_safe_the_page_is_not_saved(html: str, why: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        check(html, is_html=True)
    assert str(refusal.value) == why
    check(html)


def test_a_template_may_say_that_there_is_nothing_to_send() -> None:
    with pytest.raises(Abort, match="nothing in the cart"):
        fill("{% if event.cart == blank %}{% abort 'nothing   in the cart' %}{% endif %}", event={"cart": ""})
    assert fill("{% if event.cart == blank %}{% abort 'x' %}{% endif %}Hi", event={"cart": "c"}).text == "Hi"


@pytest.mark.parametrize(
    ("locale", "source", "said"),
    [
        ("pt-BR", "{{ 123456 | money }}", "R$\xa01.234,56"),
        ("en", "{{ 123456 | money: 'USD' }}", "$1,234.56"),
        ("en", "{{ '-5' | money: 'jpy' }}", "-¥5"),
        ("en", "{{ 1234 | money: 'KWD' }}", "KWD1.234"),
        ("en", "{{ 1234 | money: 'IQD' }}", "IQD1.234"),
        ("en", "{{ 1050 | money: 'RSD' }}", "RSD10.5"),
        ("pt", "{{ 1 | money: 'USD', locale: 'en' }}", "$0.01"),
        ("pt", "{{ 1234.5 | number }}", "1.234,5"),
        ("en", "{{ '2026-01-05' | date: 'long' }}", "January 5, 2026"),
        ("pt", "{{ '2026-01-05' | date: 'long' }}", "5 de janeiro de 2026"),
        ("pt", "{{ '2026-01-05' | date: '%d/%m, %B, 100%%' }}", "05/01, janeiro, 100%"),
        ("en", "{{ '2026-03-03T01:30:00Z' | date: '%Y-%m-%d %H:%M' }}", "2026-03-02 22:30"),
        ("en", "{{ '2026-03-03T01:30:00' | time }}", "10:30\u202fPM"),
        ("pt", "{{ 1772501400 | time }}", "22:30"),
        ("en", "{{ '20260302' | date: 'short' }} {{ 20260302 | date: 'short' }}", "3/2/26 3/2/26"),
        ("pt", "{{ 1772501400000 | time: 'short' }}", "22:30"),
        ("en", "{{ 'now' | date: '%e %b' }} {{ now | time: '%H h' }} {{ today | date: 'short' }}", "2 Mar 20 h 3/2/26"),
        ("en", "{{ 1 | plural: '# item', '# items' }}, {{ 0 | plural: '# item', '# items' }}", "1 item, 0 items"),
        (
            "pt",
            "{{ 0 | plural: '# item', '# itens' }}, {{ 1200 | plural: '# item', '# itens' }}",
            "0 item, 1.200 itens",
        ),
        ("pl", "{{ 3 | plural: 'plik', 'pliku', few: 'pliki', many: 'plików' }}", "pliki"),
        ("pt", "{{ 1000000 | plural: '# item', '# itens', many: '# de itens' }}", "1.000.000 de itens"),
        ("en", "{{ 1.0 | plural: '# item', '# items' }}, {{ 1.5 | plural: '# item', '# items' }}", "1 item, 1.5 items"),
        ("en", "{{ 10 | divided_by: 3.0 | number }}", "3.333"),
        ("xx", "{{ 1234 | number }}", "1,234"),
        ("en", "{{ nothing | money | default: 'free' }}", "free"),
        ("en", "{{ nothing | date: 'long' | default: 'soon' }}", "soon"),
        ("en", "{{ 'b,a,b' | split: ',' | uniq | join }}|{{ '<b>x</b>' | strip_html }}", "b a|x"),
    ],
)
def test_money_dates_and_plurals_are_said_as_the_reader_says_them(locale: str, source: str, said: str) -> None:
    assert render([Text(locale, "", "", source)], locale, "en", {}, READER).text == said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ event.total | money }}", "$49.90"),
        ("{{ event.total | money: 'EUR' }}", "€49.90"),
        ("{{ event.total | plus: event.shipping | times: 2 | money }}", "$119.80"),
        ("{{ 10 | plus: event.total | minus: 10 | divided_by: 2 | abs | money }}", "$24.95"),
        ("{% for item in event.items %}{{ item.price | money }} {% endfor %}", "$19.90 ¥1,500 "),
        ("{% assign half = event.total | divided_by: 2 %}{{ half | money }}", "$24.95"),
        ("{{ event.items | map: 'price' | first | money }}", "$19.90"),
        ("{{ event.gift | money }} {{ event.items.last | money }}", "€5.00 ¥1,500"),
        ("{{ customer.credit | money }} {{ event.total }} {{ event.count | plus: 1 }}", "R$1.00 4990 4"),
        ("{% if event.total > 4989 and event.total == 4990 %}{{ event.total | number }}{% endif %}", "4,990"),
    ],
)
def test_an_amount_is_said_in_the_currency_that_is_told_with_it(source: str, said: str) -> None:
    items = [{"price": 1990}, {"price": 1500, "currency": "JPY"}]
    gift = {"amount": 500, "currency": "EUR"}
    event = {"total": 4990, "shipping": 1000, "count": 3, "currency": "USD", "items": items, "gift": gift}
    assert fill(source, event=event, customer={"credit": 100}).text == said


def test_a_sum_of_two_currencies_and_an_amount_of_none_fail_the_message() -> None:
    event = {"total": 4990, "currency": "USD", "gift": {"amount": 500, "currency": "EUR"}}
    with pytest.raises(TemplateError, match="money: no currency, or two in line 1"):
        fill("{{ event.total | plus: event.gift.amount | money }}", event=event)
    nowhere = Reader(NOW, "en", "UTC", "")
    with pytest.raises(TemplateError, match="money: no currency, or two in line 1"):
        render([Text("en", "", "", "{{ 100 | money }}")], "en", "en", {}, nowhere)
    assert (
        render([Text("en", "", "", "{{ event.total | money }}")], "en", "en", {"event": event}, nowhere).text
        == "$49.90"
    )


def test_the_readers_own_region_counts_where_the_words_are_in_their_language() -> None:
    texts = [Text("en", "", "", "{{ '2026-01-05' | date: 'short' }}")]
    assert render(texts, "en-GB", "en", {}, READER).text == "05/01/2026"
    assert render(texts, "pt-BR", "en", {}, READER).text == "1/5/26"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 1.5 | money }}",
        "{{ true | money }}",
        "{{ 'abc' | money }}",
        "{{ 1 | money: 'XXZ' }}",
        "{{ 'yesterday' | date }}",
        "{{ true | date }}",
        "{{ '2026-01-05' | time }}",
        "{{ 'now' | date: '%999d' }}",
        "{{ 'now' | date: '%Q' }}",
        "{{ 'now' | date: '' }}",
        "{{ 99999999999999999999 | date }}",
        "{{ 'many' | plural: 'a', 'b' }}",
        "{{ 1 | plural: 'a', 'b', some: 'c' }}",
    ],
)
def test_what_is_no_money_no_date_and_no_number_fails_the_message(source: str) -> None:
    with pytest.raises(TemplateError, match=r"^(money|date|time|plural|no number)[^0-9]* in line 1$"):
        fill(source)


def test_an_error_names_its_place_and_no_value() -> None:
    with pytest.raises(TemplateError) as refusal:
        fill("one\n{{ customer.first_name | divided_by: 'Ana' | times: customer.first_name }}")
    assert str(refusal.value) == "FilterArgument in line 2"


def test_what_is_wrong_with_a_source_is_told_with_its_line() -> None:
    with pytest.raises(TemplateError) as refusal:
        check("one\n{{ x | nothing }}")
    assert str(refusal.value) == "there is no filter “nothing” in line 2"


@pytest.mark.parametrize(
    ("source", "said", "in_portuguese"),
    [
        ("a\n{% foo %}", "there is no tag “foo” in line 2", "não existe a tag “foo” na linha 2"),
        ("{% else %}", "“else” has no place here in line 1", "“else” não cabe aqui na linha 1"),
        ("{% if x %}{% endfor %}", "“endfor” has no place here in line 1", "“endfor” não cabe aqui na linha 1"),
        ("{% if x %}a", "“if” is not ended by “endif”", "“if” não é encerrado por “endif”"),
        ("{% comment %}", "“comment” is not ended by “endcomment” in line 1",
         "“comment” não é encerrado por “endcomment” na linha 1"),
        ("{{ x | nope }}", "there is no filter “nope” in line 1", "não existe o filtro “nope” na linha 1"),
        ("{{ x y }}", "a word has no place here in line 1", "uma palavra não cabe aqui na linha 1"),
        ("{% if x = 1 %}{% endif %}", "“=” has no place here in line 1", "“=” não cabe aqui na linha 1"),
        ("{{ x # }}", "“#” has no place here in line 1", "“#” não cabe aqui na linha 1"),
        ("{{ 'x }}", "“'” has no place here in line 1", "“'” não cabe aqui na linha 1"),
        ("{{ }}", "a value is missing", "falta um valor"),
        ("{{ x | }}", "a word is missing", "falta uma palavra"),
        ("{% assign x %}", "“=” is missing", "falta “=”"),
        ("{{ x | replace: 'a' 'b' }}", "a comma between values is missing before text in quotes in line 1",
         "falta uma vírgula entre valores antes de um texto entre aspas na linha 1"),
        ("{% if %}{% endif %}", "something is missing behind the name of the tag in line 1",
         "falta algo depois do nome da tag na linha 1"),
        ("{{ x", "not closed in line 1", "não fechado na linha 1"),
        ("{% abort x %}", "abort takes a reason in quotes, of 120 characters at most in line 1",
         "abort leva um motivo entre aspas, de no máximo 120 caracteres na linha 1"),
        ("{% if not a %}{% endif %}", "“not” has no place here: write unless in line 1",
         "“not” não cabe aqui: escreva unless na linha 1"),
        ("{% for i in x foo:1 %}{% endfor %}", "it cannot be read (expected 'reversed', 'offset' or 'limit') in line 1",
         "não se consegue ler (expected 'reversed', 'offset' or 'limit') na linha 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_the_language_of_whoever_looks(source: str, said: str, in_portuguese: str) -> None:
    for language, words in (("en", said), ("pt-br", in_portuguese)):
        with override(language), pytest.raises(TemplateError) as refusal:
            check(source)
        assert str(refusal.value) == words


def test_a_source_is_checked_when_saved() -> None:
    check("Hi {{ customer.first_name }}")
    with pytest.raises(TemplateError):
        check("{% for %}")


def test_an_unset_trait_counts_as_missing() -> None:
    assert plain({"a": None, "b": {"c": None, "d": [1, {"e": None}]}}) == {"b": {"d": [1, {}]}}
