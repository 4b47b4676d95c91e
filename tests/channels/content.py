"""What the tests of blocks, images and pulled content share: forms of the staff pages, and blocks with words."""

from typing import Any

from django.test import Client
from django.urls import reverse

from channels.models import ContentBlock, ContentBlockText, ContentBlockVersion, TemplateText, TemplateVersion
from tests.channels.world import World


def block(
    world: World, key: str, channel: str = "any", brand: Any = None, **words: str | dict[str, str]
) -> ContentBlock:
    """A block with one version: its words by part, of English, or of each language by `pt={...}`."""
    made = ContentBlock.objects.create(brand=brand or world.brand, key=key, name=key.title(), channel=channel)
    say(made, **words)
    return made


def say(block: ContentBlock, **words: Any) -> ContentBlockVersion:
    """A further version of its words."""
    version = ContentBlockVersion.objects.create(block=block, number=block.versions.count() + 1)
    plain = {name: said for name, said in words.items() if isinstance(said, str)}
    if plain:
        ContentBlockText.objects.create(version=version, locale="en", **plain)
    for locale, said in words.items():
        if not isinstance(said, str):
            ContentBlockText.objects.create(version=version, locale=locale, **said)
    return version


def write(staff: Client, world: World, *texts: dict[str, str]) -> Any:
    """The page by which a version of the template is written, filled in and sent."""
    given: dict[str, Any] = {
        "template": str(world.version.template_id),
        "texts-TOTAL_FORMS": str(len(texts)),
        "texts-INITIAL_FORMS": "0",
    }
    for n, text in enumerate(texts):
        said = {"locale": "en", "subject": "Hi", **text}
        given |= {f"texts-{n}-{name}": value for name, value in said.items()}
    return staff.post(reverse("admin:channels_templateversion_add"), given)


def latest(world: World) -> TemplateVersion:
    return TemplateVersion.objects.filter(template=world.version.template_id).latest("number")


def written(staff: Client, world: World, **text: str) -> TemplateText:
    """A version of one text, which was taken."""
    answer = write(staff, world, text)
    assert answer.status_code == 302, faults(answer)
    return latest(world).texts.get()


def faults(answer: Any) -> list[tuple[str, str]]:
    """What the page says is wrong, by field."""
    formset = answer.context["inline_admin_formsets"][0].formset
    told = [(name, str(said)) for form in formset.forms for name, all_ in form.errors.items() for said in all_]
    return told + [("", str(said)) for said in formset.non_form_errors()]
