"""What the plain admin lets people do, and that it is done by the function everybody else calls."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from channels import stops
from channels.models import Connector, SendStop, TemplateText, TemplateVersion
from channels.secrets import credentials_aad, open_sealed
from consent.models import ConsentChain, Suppression
from customers import clock, keys
from customers.models import (
    DeadLetter,
    EventType,
    MatchItem,
    QuarantinedEvent,
    SchemaVersion,
    Source,
    WriteKey,
)
from journeys.models import Journey, JourneyVersion
from tests.channels.world import World
from tests.config.one_of_each import DOCUMENT, first, make_one_of_each

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.fixture
def world() -> World:
    return make_one_of_each()


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def do(client: Client, action: str, thing: Model) -> list[str]:
    """Choose one object in its list and have the action done; return what the person is told."""
    # What was said before has been read.
    client.cookies.pop("messages", None)
    chosen = {"action": action, "_selected_action": [str(thing.pk)]}
    answer = client.post(page(type(thing), "changelist"), chosen)
    assert answer.status_code == 302
    return [str(message) for message in get_messages(answer.wsgi_request)]


def texts(*, text: str, locale: str = "en", **fields: str) -> dict[str, str]:
    """The formset of a version with one text."""
    form = {"texts-TOTAL_FORMS": "1", "texts-INITIAL_FORMS": "0", "texts-MIN_NUM_FORMS": "1"}
    said = {"locale": locale, "text": text, **fields}
    return form | {f"texts-0-{name}": value for name, value in said.items()}


def test_a_write_key_is_shown_once_and_works(root: Client, world: World) -> None:
    source = first(Source)
    answer = root.post(page(WriteKey, "add"), {"source": source.pk, "kind": "server", "mode": "live"})
    key = WriteKey.objects.latest("created_at")
    [told] = [str(m) for m in get_messages(answer.wsgi_request) if "Copy it now" in str(m)]
    plaintext = told.split(" is ")[1].split(". ")[0]
    writer = keys.find(plaintext, clock.utcnow())
    assert writer is not None
    assert writer.source_id == source.pk
    root.get("/admin/")
    assert plaintext not in root.get(page(WriteKey, "change", key.pk)).content.decode()


def test_a_write_key_is_revoked_and_never_edited(root: Client, world: World) -> None:
    key, plaintext = keys.issue(first(Source))
    assert root.post(page(WriteKey, "change", key.pk), {"mode": "test"}).status_code == 403
    assert do(root, "revoke", key) == ["1 key was revoked."]
    assert keys.find(plaintext, clock.utcnow()) is None


def test_no_key_can_be_asked_for_the_reserved_source(root: Client, world: World) -> None:
    reserved = Source.objects.create(brand=world.brand, key=Source.RESERVED_KEY, name="Trilha")
    assert root.post(page(WriteKey, "add"), {"source": reserved.pk, "mode": "live"}).status_code == 200
    assert not WriteKey.objects.filter(source=reserved).exists()


def connector_form(world: World, **fields: Any) -> dict[str, Any]:
    form = {"brand": world.brand.pk, "key": "relay", "name": "Relay", "channel": "email", "provider": "smtp"}
    settings = {"smtp__host": "mail.example", "smtp__port": 587, "smtp__security": "starttls", "smtp__headers": "{}"}
    return form | settings | {"concurrency": 4, "is_active": "on"} | fields


def test_credentials_are_sealed_and_never_shown(root: Client, world: World) -> None:
    secret = {"smtp__secret__username": "trilha", "smtp__secret__password": "tr0ub4dor"}
    assert root.post(page(Connector, "add"), connector_form(world, **secret)).status_code == 302
    connector = Connector.objects.get(key="relay")
    assert b"tr0ub4dor" not in bytes(connector.credentials)
    opened = open_sealed(bytes(connector.credentials), credentials_aad(connector.pk))
    assert opened == {"username": "trilha", "password": "tr0ub4dor"}
    assert "tr0ub4dor" not in root.get(page(Connector, "change", connector.pk)).content.decode()


def test_empty_credentials_keep_what_is_there(root: Client, world: World) -> None:
    form = connector_form(world, smtp__secret__username="trilha")
    root.post(page(Connector, "add"), form)
    connector = Connector.objects.get(key="relay")
    root.post(page(Connector, "change", connector.pk), form | {"name": "Renamed", "smtp__secret__username": ""})
    connector.refresh_from_db()
    assert connector.name == "Renamed"
    assert open_sealed(bytes(connector.credentials), credentials_aad(connector.pk)) == {"username": "trilha"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("smtp__host", ""),
        ("smtp__port", "twenty-five"),
        ("smtp__security", "rot13"),
        ("smtp__headers", '{"Bcc": "x@example.com"}'),
        ("smtp__headers", '["X-Campaign"]'),
        ("smtp__headers", "tr0ub4dor"),
        ("provider", "pigeon"),
        ("channel", "sms"),
    ],
)
def test_settings_that_do_not_fit_the_provider_are_refused(field: str, value: str, root: Client, world: World) -> None:
    secret = {"smtp__secret__password": "c0rrecth0rse"}
    answer = root.post(page(Connector, "add"), connector_form(world, **secret | {field: value}))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert "c0rrecth0rse" not in answer.content.decode()
    assert not Connector.objects.filter(key="relay").exists()


def test_a_connector_is_stopped_and_released(root: Client, world: World) -> None:
    assert do(root, "stop_sending", world.connector) == ["1 was stopped."]
    stop = SendStop.objects.get(scope_id=world.connector.pk, released_at=None)
    assert stop.stopped_by is not None
    assert do(root, "stop_sending", world.connector) == ["0 were stopped."]
    assert do(root, "release_sending", world.connector) == ["1 was released."]
    assert not SendStop.objects.filter(scope_id=world.connector.pk, released_at=None).exists()


def test_a_stop_for_any_scope_is_added_and_released(root: Client, world: World) -> None:
    root.post(page(SendStop, "add"), {"scope_id": world.brand.pk, "reason": "wrong price"})
    stop = SendStop.objects.get(scope_id=world.brand.pk)
    assert (stop.reason, stop.released_at) == ("wrong price", None)
    assert root.post(page(SendStop, "change", stop.pk), {"reason": "x"}).status_code == 403
    assert do(root, "release", stop) == ["1 was released."]
    assert not stops.release(world.brand.pk, clock.utcnow())


def test_new_words_are_a_new_version_with_the_next_number(root: Client, world: World) -> None:
    form = {"template": world.version.template_id, **texts(text="Hi {{ customer.first_name }}")}
    assert root.post(page(TemplateVersion, "add"), form).status_code == 302
    made = TemplateVersion.objects.get(template=world.version.template_id, number=2)
    assert made.texts.get().text == "Hi {{ customer.first_name }}"


def test_words_that_cannot_be_rendered_are_refused(root: Client, world: World) -> None:
    form = {"template": world.version.template_id, **texts(text="{% include '/etc/passwd' %}")}
    assert root.post(page(TemplateVersion, "add"), form).status_code == 200
    assert not TemplateVersion.objects.filter(number=2).exists()


LAYOUT = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def add_words(root: Client, world: World, text: str = "Hello", **fields: str) -> Any:
    form = {"template": world.version.template_id, **texts(text=text, **fields)}
    return root.post(page(TemplateVersion, "add"), form)


def test_a_layout_is_made_into_a_page_and_plain_words_once(root: Client, world: World) -> None:
    words = "<mj-text>Hi {{ customer.first_name }}</mj-text><mj-button href='{{ unsubscribe_url }}'>Leave</mj-button>"
    assert add_words(root, world, "", mjml=LAYOUT.format(words)).status_code == 302
    made = TemplateVersion.objects.get(template=world.version.template_id, number=2).texts.get()
    assert made.mjml == LAYOUT.format(words)
    assert made.html.startswith("<!doctype html>")
    assert "Hi {{ customer.first_name }}" in made.html
    assert made.text == "Hi {{ customer.first_name }}\n\nLeave ({{ unsubscribe_url }})\n"


def test_plain_words_that_were_written_stay(root: Client, world: World) -> None:
    assert add_words(root, world, html="<p>Hi</p>").status_code == 302
    assert TemplateVersion.objects.get(number=2, template=world.version.template_id).texts.get().text == "Hello"


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"mjml": "<mjml>\n<mj-body><mj-foo /></mj-body></mjml>"}, "mjml", "There is no element mj-foo, in line 2."),
        ({"mjml": LAYOUT.format("<mj-raw><a {{ x }}></a></mj-raw>")}, "mjml", "a value in a tag stands in quotes in"),
        ({"mjml": LAYOUT.format(""), "html": "<p>x</p>"}, "html", "There is MJML: its HTML is made of it."),
        ({"html": "<script>{{ x }}</script>"}, "html", "no value may stand in a script in line 1"),
        ({"text": ""}, "text", "Write what is said."),
        ({"text": "{{" * 50_000}, "text", "not closed in line 1"),
        ({"text": "{% for a in (1..9) %}" * 2_000}, "text", "the template has more than 1500 marks"),
    ],
)
def test_what_is_wrong_with_words_is_told_at_the_field(
    fields: dict[str, str], field: str, why: str, root: Client, world: World
) -> None:
    answer = add_words(root, world, **fields)
    assert answer.status_code == 200
    form = answer.context["inline_admin_formsets"][0].formset.forms[0]
    assert form.errors[field][0].startswith(why)
    assert not TemplateVersion.objects.filter(number=2).exists()


def test_a_page_is_for_an_e_mail_only(root: Client, world: World) -> None:
    world.version.template.channel = "sms"
    world.version.template.save()
    answer = add_words(root, world, html="<p>Hi</p>")
    form = answer.context["inline_admin_formsets"][0].formset.forms[0]
    assert form.errors["html"] == ["Only an e-mail has a page."]


def test_words_once_used_are_not_changed(root: Client, world: World) -> None:
    before = list(TemplateText.objects.order_by("pk").values())
    form = {"template": world.version.template_id, **texts(text="other")}
    assert root.post(page(TemplateVersion, "change", world.version.pk), form).status_code == 403
    assert list(TemplateText.objects.order_by("pk").values()) == before


def test_a_schema_is_approved_and_then_stands(root: Client, world: World) -> None:
    draft = SchemaVersion.objects.get()
    assert do(root, "approve", draft) == [f"{draft}: Only a proposed draft is approved.", "0 versions were changed."]
    root.post(page(SchemaVersion, "review", draft.pk), {"do": "propose"})
    assert do(root, "approve", draft) == ["1 version was changed."]
    assert root.post(page(SchemaVersion, "change", draft.pk), {"schema": "{}"}).status_code == 403
    assert do(root, "deprecate", draft) == ["1 version was changed."]
    draft.refresh_from_db()
    assert draft.status == SchemaVersion.Status.DEPRECATED


@pytest.mark.parametrize("schema", ['{"type": "unheard-of"}', '{"$ref": "https://evil.example/schema"}'])
def test_a_schema_that_cannot_be_used_is_refused(schema: str, root: Client, world: World) -> None:
    form = {"event_type": first(EventType).pk, "schema": schema, "upcast": "[]"}
    assert root.post(page(SchemaVersion, "add"), form).status_code == 200
    assert SchemaVersion.objects.count() == 1


def test_a_journey_is_published_from_its_draft(root: Client, world: World) -> None:
    journey = Journey.objects.get()
    assert do(root, "publish_draft", journey) == ["Welcome v2 is live."]
    journey.refresh_from_db()
    assert journey.status == Journey.Status.LIVE
    assert journey.live_version is not None
    assert journey.live_version.published_by is not None


def test_a_draft_with_faults_is_not_published_and_each_is_named(root: Client, world: World) -> None:
    journey = Journey.objects.get()
    journey.draft = DOCUMENT | {"purpose": "gossip"}
    journey.save()
    told = do(root, "publish_draft", journey)
    assert told == ["Welcome: /purpose: There is no purpose “gossip”."]
    assert JourneyVersion.objects.count() == 1


def test_saving_the_form_does_not_make_a_journey_live(root: Client, world: World) -> None:
    journey = Journey.objects.get()
    form = {"brand": world.brand.pk, "key": "welcome", "name": "Welcome", "status": "live", "draft": "{}"}
    assert root.post(page(Journey, "change", journey.pk), form).status_code == 200
    journey.refresh_from_db()
    assert journey.status == Journey.Status.DRAFT


def test_a_suppression_by_hand_binds_and_is_lifted(root: Client, world: World) -> None:
    address = world.person("cai@example.com").address
    root.post(page(Suppression, "add"), {"address": address.pk, "brand": world.brand.pk})
    suppression = Suppression.objects.get(address=address)
    assert suppression.reason == Suppression.Reason.MANUAL
    assert do(root, "lift", suppression) == ["1 suppression was lifted."]
    suppression.refresh_from_db()
    assert suppression.lifted_at is not None


def test_a_chain_is_verified(root: Client, world: World) -> None:
    assert do(root, "verify", first(ConsentChain)) == ["1 chain is sound."]


def test_what_is_in_quarantine_is_replayed_or_stays_with_its_reason(root: Client, world: World) -> None:
    [told, reason] = do(root, "replay", QuarantinedEvent.objects.get())
    assert told == "0 events were accepted."
    assert "stays:" in reason
    assert QuarantinedEvent.objects.get().status == QuarantinedEvent.Status.OPEN


def test_what_is_in_quarantine_is_discarded_and_kept(root: Client, world: World) -> None:
    assert do(root, "discard", QuarantinedEvent.objects.get()) == ["1 event was discarded."]
    assert QuarantinedEvent.objects.get().status == QuarantinedEvent.Status.DISCARDED


def test_a_dead_letter_is_replayed(root: Client, world: World) -> None:
    item = MatchItem.objects.get()
    letter = DeadLetter.objects.create(
        at=clock.utcnow(), queue="match", unit_id=item.pk, reason="died", attempts=5, row=as_written(item)
    )
    item.delete()
    assert do(root, "replay", letter) == ["1 unit was put back."]
    assert MatchItem.objects.get().name == "Signed Up"


def as_written(item: MatchItem) -> dict[str, Any]:
    """The item as the database writes it down."""
    row = MatchItem.objects.filter(pk=item.pk).values().get()
    return {name: value if isinstance(value, int | str) else str(value) for name, value in row.items()}


def test_an_action_wants_its_permission(world: World) -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_user("reader", is_staff=True))
    chosen = {"action": "publish_draft", "_selected_action": [str(Journey.objects.get().pk)]}
    assert client.post(page(Journey, "changelist"), chosen).status_code == 403
    assert JourneyVersion.objects.count() == 1
