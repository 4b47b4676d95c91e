"""Liquid in bounds: the right language, no values where markup is, no message with a hole in it."""

import pytest

from channels.templates import MissingFieldError, Rendered, TemplateError, Text, check, plain, render

CONTEXT = {"customer": {"first_name": "Ana"}, "event": {"items": [{"name": "Cup"}, {"name": "Pot"}]}}


def fill(text: str = "", *, subject: str = "", html: str = "", **context: object) -> Rendered:
    return render([Text("en", subject, html, text)], "en", "en", CONTEXT | context)


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
    assert render(texts, wanted, brand, {}).text == chosen


def test_a_template_without_texts_is_an_error() -> None:
    with pytest.raises(TemplateError):
        render([], "en", "en", {})


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
        "{% include '/etc/passwd' %}",
        "{% render 'x' %}",
        "{{ 'x' | safe }}",
        "{{ 'x' | nothing }}",
        "{% if %}",
        "{{ 1 | divided_by: 0 }}",
        "x" * 300_000,
    ],
)
def test_what_goes_out_of_bounds_is_refused(source: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        fill(source, long="y" * 1000)
    assert not isinstance(refusal.value, MissingFieldError)


def test_an_error_names_its_place_and_no_value() -> None:
    with pytest.raises(TemplateError) as refusal:
        fill("one\n{{ customer.first_name | divided_by: 'Ana' | times: customer.first_name | nothing }}")
    assert str(refusal.value) == "FilterArgument in line 2"


def test_a_source_is_checked_when_saved() -> None:
    check("Hi {{ customer.first_name }}")
    with pytest.raises(TemplateError):
        check("{% for %}")


def test_an_unset_trait_counts_as_missing() -> None:
    assert plain({"a": None, "b": {"c": None, "d": [1, {"e": None}]}}) == {"b": {"d": [1, {}]}}
