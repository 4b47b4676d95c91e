"""Content blocks: what many templates say alike is filled in as a version is saved, and stays what it was."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from channels.models import BlockUse, ContentBlock, ContentBlockVersion, TemplateText, TemplateVersion
from customers.models import Brand, Squad, SquadMember
from tests.channels.content import block, faults, latest, say, write, written
from tests.channels.world import World, make_world

pytestmark = pytest.mark.django_db
MJML = "<mjml><mj-body>{body}</mj-body></mjml>"
FOOTER = "<mj-section><mj-column><mj-text>{said}</mj-text></mj-column></mj-section>"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "-"))
    return client


def test_a_block_is_filled_in_where_it_is_named(staff: Client, world: World) -> None:
    footer = block(world, "footer", html="<p>Acme, {{ customer.first_name }}</p>", text="Acme\n")
    text = written(staff, world, html="<h1>Hi</h1>\n{% block 'footer' %}", text='Hi\n-- \n{% block "footer" %}.')
    assert text.html == "<h1>Hi</h1>\n<p>Acme, {{ customer.first_name }}</p>"
    assert text.text == "Hi\n-- \nAcme."
    assert text.as_written()["html"] == "<h1>Hi</h1>\n{% block 'footer' %}"
    assert [use.block_version for use in text.blocks.all()] == [footer.versions.get()]


def test_in_a_layout_its_elements_are_laid_out_with_the_others(staff: Client, world: World) -> None:
    block(world, "footer", mjml=FOOTER.format(said="Acme Ltd"))
    text = written(staff, world, mjml=MJML.format(body=FOOTER.format(said="Hello") + "{% block 'footer' %}"))
    assert "Acme Ltd" in text.html
    assert "<mj-" not in text.html
    assert text.text == "Hello\n\nAcme Ltd\n"
    assert text.mjml.endswith("{% block 'footer' %}</mj-body></mjml>")


def test_plain_words_of_a_block_are_those_of_its_page_unless_it_has_some(staff: Client, world: World) -> None:
    block(world, "footer", html="<p>Acme <a href='https://acme.example'>shop</a></p>")
    assert written(staff, world, text="Hi. {% block 'footer' %}").text == "Hi. Acme shop (https://acme.example)"


def test_the_language_is_the_closest_then_the_brands(staff: Client, world: World) -> None:
    block(world, "footer", text="Bye", pt={"text": "Tchau"}, fr={"text": "Adieu"})
    answer = write(staff, world, *({"locale": one, "text": "{% block 'footer' %}"} for one in ("pt-BR", "fr-CA", "de")))
    assert answer.status_code == 302
    said = dict(latest(world).texts.values_list("locale", "text"))
    assert said == {"pt-BR": "Tchau", "fr-CA": "Adieu", "de": "Bye"}


def test_dashes_trim_as_they_do_in_any_tag(staff: Client, world: World) -> None:
    block(world, "footer", text="Bye")
    assert written(staff, world, text="Hi \n {%- block 'footer' -%} \n !").text == "HiBye!"


@pytest.mark.parametrize(
    "source",
    [
        "{% raw %}{% block 'footer' %}{% endraw %}",
        "{% comment %}{% block 'nothing' %}{% endcomment %}Hi",
        "{{ '{% block x' }}",
    ],
)
def test_what_is_shown_as_it_stands_or_left_out_names_no_block(staff: Client, world: World, source: str) -> None:
    text = written(staff, world, text=source)
    assert (text.text, text.blocks.count()) == (source, 0)


def test_blocks_hold_blocks_and_all_their_versions_are_kept(staff: Client, world: World) -> None:
    block(world, "inner", text="in")
    block(world, "outer", text="<{% block 'inner' %}>")
    text = written(staff, world, text="{% block 'outer' %}")
    assert text.text == "<in>"
    assert sorted(use.block_version.block.key for use in text.blocks.all()) == ["inner", "outer"]


def test_a_version_stays_what_it_was_and_the_next_is_begun_as_written(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    text = written(staff, world, text="Hi. {% block 'footer' %}")
    say(footer, text="Farewell")
    text.refresh_from_db()
    assert text.text == "Hi. Bye"
    page = staff.get(f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}")
    begun = page.context["inline_admin_formsets"][0].formset.forms[0].initial
    assert begun["text"] == "Hi. {% block 'footer' %}"


def test_words_that_were_made_of_the_page_are_made_anew_in_the_next_version(staff: Client, world: World) -> None:
    assert written(staff, world, html="<p>One</p>").as_written()["text"] == ""


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("Hi\n{% block 'nothing' %}", "There is no block “nothing” with words, in line 2."),
        ("Hi\n\n{% block footer %}", "A block is named in quotes, as in {% block 'footer' %}, in line 3."),
        ("{% block customer.name %}", "A block is named in quotes, as in {% block 'footer' %}, in line 1."),
        ("{% block '../../etc/passwd' %}", "A block is named in quotes, as in {% block 'footer' %}, in line 1."),
        ("{% block 'push' %}", "The block “push” is for another channel, in line 1."),
        ("{% block 'page' %}", "The block “page” has no text, in line 1."),
        ("{% block 'theirs' %}", "There is no block “theirs” with words, in line 1."),
        ("{% block 'empty' %}", "There is no block “empty” with words, in line 1."),
        ("{% block 'round' %}", "In the block “round”: The block “round” holds itself, in line 1, in line 1."),
    ],
)
def test_what_cannot_be_filled_in_is_told_by_its_line(staff: Client, world: World, source: str, fault: str) -> None:
    block(world, "push", channel="push", text="Hi")
    block(world, "page", mjml=FOOTER.format(said="x"))
    block(world, "theirs", brand=Brand.objects.create(key="other", name="Other"), text="Theirs")
    block(world, "empty")
    block(world, "round", text="{% block 'round' %}")
    answer = write(staff, world, {"text": source})
    assert faults(answer) == [("text", fault)]
    assert latest(world) == world.version


def test_a_fault_of_the_template_is_told_by_the_line_its_author_sees(staff: Client, world: World) -> None:
    block(world, "long", text="1\n2\n3\n4")
    answer = write(staff, world, {"text": "{% block 'long' %}\n{% if %}"})
    assert faults(answer)[0][1].endswith("in line 2")


def test_a_fault_that_blocks_bring_says_so(staff: Client, world: World) -> None:
    block(world, "section", mjml=FOOTER.format(said="x"))
    block(world, "wild", html="<script>{{ customer.name }}</script>")
    answer = write(staff, world, {"html": "{% block 'wild' %}", "text": "x"})
    assert faults(answer) == [
        ("html", "With its blocks filled in: no value may stand in a script in line 1"),
    ]
    answer = write(staff, world, {"mjml": "<mjml><mj-body><mj-bogus/>{% block 'section' %}</mj-body></mjml>"})
    assert faults(answer) == [("mjml", "There is no element mj-bogus, in line 1.")]


def test_blocks_are_nested_three_deep_and_no_deeper(staff: Client, world: World) -> None:
    block(world, "a", text="a")
    for inner, outer in (("a", "b"), ("b", "c"), ("c", "d")):
        block(world, outer, text=f"{outer}{{% block '{inner}' %}}")
    assert written(staff, world, text="{% block 'c' %}").text == "cba"
    assert "nested too deep" in faults(write(staff, world, {"text": "{% block 'd' %}"}))[0][1]


def test_growth_is_bounded_in_number_and_in_size(staff: Client, world: World) -> None:
    block(world, "a", text="x" * 100_000)
    block(world, "b", text="{% block 'a' %}" * 2)
    block(world, "c", text="x")
    assert "more than 262144 characters" in faults(write(staff, world, {"text": "{% block 'b' %}" * 2}))[0][1]
    assert "More than 100 blocks" in faults(write(staff, world, {"text": "{% block 'c' %}" * 101}))[0][1]
    assert latest(world) == world.version


def test_marks_that_are_never_closed_take_no_time(staff: Client, world: World) -> None:
    for source in ("{%" * 100_000, "{{" * 100_000, "{% block " * 20_000):
        assert faults(write(staff, world, {"text": source})) == [("text", "not closed in line 1")]


# --- The pages of blocks --------------------------------------------------------------------------------------------


def write_block(staff: Client, of: ContentBlock, **words: str) -> Any:
    given = {"block": str(of.pk), "texts-TOTAL_FORMS": "1", "texts-INITIAL_FORMS": "0", "texts-0-locale": "en"}
    return staff.post(
        reverse("admin:channels_contentblockversion_add"),
        given | {f"texts-0-{name}": said for name, said in words.items()},
    )


def test_a_version_of_a_block_is_written_on_its_page(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    assert write_block(staff, footer, html="<p>Bye</p>").status_code == 302
    made = footer.versions.latest("number")
    assert (made.number, made.texts.get().html) == (2, "<p>Bye</p>")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({}, ("text", "Write what it says, for at least one kind of place.")),
        ({"text": "{% if x %}"}, ("text", "“if” is not ended by “endif”")),
        ({"text": "{% block 'footer' %}"}, ("text", "The block “footer” holds itself, in line 1.")),
        ({"text": "{% block 'header' %}"}, ("text", "In the block “header”: The block “footer” holds itself")),
        ({"html": "<a href={{ x }}>"}, ("html", "a value in a tag stands in quotes in line 1")),
        ({"mjml": "<mj-section>"}, ("mjml", "mj-section is not closed, in line 1.")),
        ({"mjml": "<mj-include path='/etc/passwd'/>"}, ("mjml", "Nothing can be included from elsewhere, in line 1.")),
        ({"text": "{% block '" + "x" * 65 + "' %}"}, ("text", "A block is named in quotes")),
        ({"text": "x" * 262_145}, ("text", "the template is longer than 262144 characters")),
    ],
)
def test_words_that_no_template_could_take_are_refused(
    staff: Client, world: World, words: dict[str, str], fault: tuple[str, str]
) -> None:
    footer = block(world, "footer", text="Bye")
    block(world, "header", text="{% block 'footer' %}")
    name, said = faults(write_block(staff, footer, **words))[0]
    assert (name, said[: len(fault[1])]) == fault
    assert footer.versions.count() == 1


def page(of: ContentBlock) -> str:
    return reverse("admin:channels_contentblock_change", args=[of.pk])


def renew(client: Client, of: ContentBlock) -> Any:
    return client.post(reverse("admin:channels_contentblock_renew", args=[of.pk]))


def test_its_page_tells_which_templates_hold_which_version(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    written(staff, world, text="{% block 'footer' %}")
    assert [(use.version, use.holds, use.is_old) for use in staff.get(page(footer)).context["uses"]] == [
        (latest(world), 1, False)
    ]
    assert "Make new versions" not in staff.get(page(footer)).content.decode()
    say(footer, text="Farewell")
    answer = staff.get(page(footer))
    assert [(use.holds, use.is_old) for use in answer.context["uses"]] == [(1, True)]
    assert "Make new versions" in answer.content.decode()


def test_a_template_whose_latest_version_names_it_no_more_is_none_of_its(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    written(staff, world, text="{% block 'footer' %}")
    written(staff, world, text="Nothing")
    assert staff.get(page(footer)).context["uses"] == []


def test_templates_are_made_anew_with_the_latest_words(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye", html="<p>Bye</p>")
    before = written(staff, world, html="{% block 'footer' %}", subject="Hello")
    say(footer, text="Farewell", html="<p>Farewell</p>")
    assert renew(staff, footer).status_code == 302
    made = latest(world)
    assert made.number == before.version.number + 1
    text = made.texts.get()
    assert (text.subject, text.html, text.text) == ("Hello", "<p>Farewell</p>", "Farewell\n")
    assert text.as_written() == before.as_written()
    assert [use.block_version.number for use in text.blocks.all()] == [2]
    assert TemplateText.objects.get(pk=before.pk).html == "<p>Bye</p>"
    # Once more changes nothing: nobody holds an older one.
    renew(staff, footer)
    assert latest(world) == made


def test_one_that_no_longer_fits_stays_as_it_is_and_says_why(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    written(staff, world, text="{% block 'footer' %}")
    before = TemplateVersion.objects.count()
    say(footer, html="<p>Farewell</p>", text="{% block 'gone' %}")
    answer = staff.post(reverse("admin:channels_contentblock_renew", args=[footer.pk]), follow=True)
    assert "stays as it is: en, text: In the block “footer”: There is no block “gone”" in answer.content.decode()
    assert TemplateVersion.objects.count() == before


def test_a_get_changes_nothing_and_a_colleague_of_another_squad_no_template(staff: Client, world: World) -> None:
    footer = block(world, "footer", text="Bye")
    text = written(staff, world, text="{% block 'footer' %}")
    say(footer, text="Farewell")
    staff.get(reverse("admin:channels_contentblock_renew", args=[footer.pk]))
    assert latest(world) == text.version
    world.version.template.squad = Squad.objects.create(brand=world.brand, name="One")
    world.version.template.save()
    user = User.objects.create_user("colleague", is_staff=True)
    user.groups.add(Group.objects.get(name="marketer"))
    SquadMember.objects.create(
        squad=Squad.objects.create(brand=world.brand, name="Two"), user=user, role="process_owner"
    )
    colleague = Client()
    colleague.force_login(user)
    assert "Make new versions" not in colleague.get(page(footer)).content.decode()
    assert renew(colleague, footer).status_code == 302
    assert latest(world) == text.version
    assert ContentBlockVersion.objects.count() == 2
    assert BlockUse.objects.count() == 1
