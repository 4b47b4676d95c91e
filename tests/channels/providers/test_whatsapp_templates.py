"""How WhatsApp's templates stand: asked for page by page, told of, and looked at before anything is sent."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels.approvals import asking
from channels.approvals.asking import ask, ask_all
from channels.approvals.book import Fault, books
from channels.models import Approval, ApprovalList, Connector, Message, ProviderCallback, TemplateVersion
from channels.options import OptionsError, check
from channels.providers.whatsapp_templates import Listed
from customers.models.address import Channel
from tests.channels.providers.telling import dispatch, path_of, post, provider_beside, say, work_off, world_of, write_to
from tests.channels.providers.whatsapp_server import ACCOUNT, SECRET, TOKEN, WhatsAppServer, changed, signature
from tests.channels.web_server import drops
from tests.channels.world import NOW, World, state

ANA = "+5511987654321"


@pytest.fixture
def meta(settings: Settings) -> Iterator[WhatsAppServer]:
    with provider_beside(settings) as system:
        yield WhatsAppServer(system)


@pytest.fixture
def world(db: None, meta: WhatsAppServer) -> World:
    config = meta.config() | {"business_account_id": ACCOUNT}
    world = world_of("whatsapp", "whatsapp", config, access_token=TOKEN, app_secret=SECRET, verify_token="hello")
    say(world, template="order_ready", language="pt_BR", parameters=["{{ customer.first_name }}"])
    return world


def template(
    name: str = "order_ready", status: str = "APPROVED", body: str = "Oi {{1}}", **more: Any
) -> dict[str, Any]:
    return {
        "id": "594425479261596",
        "name": name,
        "language": "pt_BR",
        "status": status,
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": body}],
        **more,
    }


def standing() -> list[tuple[str, str, str, int | None]]:
    return list(Approval.objects.order_by("name").values_list("name", "language", "state", "places"))


def tell(client: Client, world: World, body: bytes) -> int:
    headers = {"X-Hub-Signature-256": signature(body)}
    status: int = post(client, path_of(world), body, "application/json", **headers).status_code
    return status


# --- Asking ---------------------------------------------------------------------------------------------------------


def test_all_of_an_account_are_read_page_by_page(world: World, meta: WhatsAppServer) -> None:
    meta.templates = [template(f"t{n:03}", body="Hi {{1}} {{2}} {{1}}") for n in range(250)]
    assert ask(world.connector, NOW) == ""
    assert len(standing()) == 250
    assert standing()[0] == ("t000", "pt_BR", "approved", 2)
    assert [one.path.partition("&after")[2] for one in meta.system.received] == ["", "=100", "=200"]
    assert ApprovalList.objects.get().read_at == NOW


def test_what_is_in_no_list_any_more_is_forgotten_unless_it_was_told_of_since(
    client: Client, world: World, meta: WhatsAppServer
) -> None:
    meta.templates = [template("old"), template("kept")]
    ask(world.connector, NOW)
    meta.templates = [template("kept")]
    ask(world.connector, NOW + timedelta(hours=1))
    assert [row[0] for row in standing()] == ["kept"]


def test_they_are_asked_for_once_an_hour(world: World, meta: WhatsAppServer) -> None:
    assert [ask_all(NOW + timedelta(minutes=after), 5) for after in (0, 10, 56)] == [1, 0, 1]
    Connector.objects.update(is_active=False)
    assert ask_all(NOW + timedelta(hours=9), 5) == 0


def test_without_an_account_nobody_is_asked(world: World, meta: WhatsAppServer) -> None:
    world.configure(business_account_id="")
    assert (ask_all(NOW, 5), ask(world.connector, NOW), meta.system.received) == (0, None, [])
    write_to(world, ANA)
    dispatch(world, NOW)
    assert len(meta.taken) == 1


@pytest.mark.parametrize(
    "answer",
    [
        drops,
        (500, {}, b"{}"),
        (400, {}, b'{"error": {"code": 100, "message": "Unsupported get request"}}'),
        (401, {}, b'{"error": {"code": 190, "message": "expired"}}'),
        (200, {"content-type": "application/json"}, b"<html>"),
        (200, {"content-type": "application/json"}, b'{"data": 7}'),
    ],
)
def test_what_cannot_be_read_leaves_what_is_known(world: World, meta: WhatsAppServer, answer: Any) -> None:
    meta.templates = [template()]
    ask(world.connector, NOW)
    meta.system.answers = [answer]
    later = NOW + timedelta(hours=1)
    assert ask(world.connector, later)
    listed = ApprovalList.objects.get()
    assert (listed.asked_at, listed.read_at) == (later, NOW)
    assert listed.fault
    assert [row[0] for row in standing()] == ["order_ready"]


def test_a_list_without_an_end_is_given_up(world: World, meta: WhatsAppServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_PAGES", 2)
    meta.templates = [template(f"t{n}") for n in range(250)]
    assert ask(world.connector, NOW) == "too many pages"
    assert ApprovalList.objects.get().read_at is None


def test_one_that_is_odd_costs_itself_alone(world: World, meta: WhatsAppServer) -> None:
    meta.templates = [template("good"), {"name": 7}, {"id": "1"}, template("other", "SOMETHING_NEW")]
    assert ask(world.connector, NOW) == ""
    assert standing() == [("good", "pt_BR", "approved", 1), ("other", "pt_BR", "other", 1)]


@pytest.mark.parametrize(
    ("components", "places", "shows_image", "needs_more"),
    [
        ([], 0, False, False),
        ([{"type": "BODY", "text": "{{1}} {{ 2 }} {{1}}"}], 2, False, False),
        ([{"type": "BODY", "text": "{{first_name}}"}], 1, False, True),
        ([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi"}], 0, True, False),
        ([{"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}], 0, False, False),
        ([{"type": "HEADER", "format": "TEXT", "text": "Order {{order}}"}], 0, False, True),
        ([{"type": "HEADER", "format": "TEXT", "text": "{{1}} {{2}}"}], 0, False, True),
        ([{"type": "HEADER", "format": "VIDEO"}], 0, False, True),
        ([{"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://a.example/{{1}}"}]}], 0, False, False),
        ([{"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://{{1}}.example/"}]}], 0, False, True),
        ([{"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copy"}]}], 0, False, True),
        ([{"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]}], 0, False, False),
        ([{"type": "CAROUSEL"}], 0, False, True),
    ],
)  # fmt: skip
def test_what_it_needs_is_read_from_its_parts(
    components: Any, places: int, shows_image: bool, needs_more: bool
) -> None:
    raw = json.dumps(template(components=components))
    told = msgspec.json.decode(raw, type=Listed).told()
    assert (told.places, told.shows_image, told.needs_more) == (places, shows_image, needs_more)


def test_places_of_its_heading_and_of_its_buttons_are_known(world: World, meta: WhatsAppServer) -> None:
    buttons = [{"type": "QUICK_REPLY"}, {"type": "URL", "url": "https://a.example/o/{{1}}"}, {"type": "PHONE_NUMBER"}]
    heading = {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}
    parts = [heading, {"type": "BODY", "text": "Oi {{1}}"}, {"type": "BUTTONS", "buttons": buttons}]
    meta.templates = [template(components=parts)]
    ask(world.connector, NOW)
    row = Approval.objects.get()
    assert (row.places, row.heading_places, row.button_places, row.needs_more) == (1, 1, [1], False)
    book = books([world.connector.pk], NOW)[world.connector.pk]
    whole: dict[str, Any] = {
        "template": "order_ready", "language": "pt_BR", "parameters": ["Ana"], "header": "12", "buttons": ["", "12"],
    }  # fmt: skip
    assert book.fault(whole, "pt") is None
    assert book.fault(whole | {"header": ""}, "pt") is Fault.HEADING
    for buttons_filled in ([], ["8812"], ["", "8812", "x"], ["", ""]):
        assert book.fault(whole | {"buttons": buttons_filled}, "pt") is Fault.BUTTONS
    tell_of = changed("message_template_quality_update", new_quality_score="RED")
    assert tell(Client(), world, tell_of) == 200
    work_off(NOW)
    row.refresh_from_db()
    assert (row.heading_places, row.button_places) == (1, [1])


def test_heading_and_buttons_are_filled_as_meta_has_it(world: World, meta: WhatsAppServer) -> None:
    say(
        world,
        template="order_ready",
        language="pt_BR",
        parameters=["{{ customer.first_name }}"],
        header="{{ event.plan }}",
        buttons=["", "{{ event.plan | append: ' 1' | url_encode }}"],
    )
    write_to(world, ANA)
    dispatch(world, NOW)
    assert meta.taken[0]["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "gold"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "gold+1"}]},
    ]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"template": "x", "header": "a", "image": "https://a.example/x.png"}, "a heading is a picture or words"),
        ({"template": "x", "buttons": ["a"] * 11}, "more than 10 buttons"),
        ({"template": "x", "buttons": "a"}, "Expected `array`, got `str`"),
    ],
)
def test_a_heading_is_a_picture_or_words_and_buttons_are_few(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(OptionsError, match=fault):
        check(Channel.WHATSAPP, options)


# --- Being told -----------------------------------------------------------------------------------------------------


def test_what_meta_tells_holds_at_once(client: Client, world: World, meta: WhatsAppServer) -> None:
    meta.templates = [template()]
    ask(world.connector, NOW - timedelta(days=400))
    told = changed("message_template_status_update", event="PAUSED", reason="LOW_QUALITY")
    assert tell(client, world, told) == 200
    work_off(NOW)
    row = Approval.objects.get()
    assert (row.state, row.reason, row.places, row.category) == ("paused", "low_quality", 1, "utility")
    tell(client, world, changed("message_template_quality_update", new_quality_score="RED"))
    tell(client, world, changed("template_category_update", new_category="MARKETING"))
    work_off(NOW)
    row.refresh_from_db()
    assert (row.state, row.quality, row.category) == ("paused", "red", "marketing")
    assert set(ProviderCallback.objects.values_list("status", flat=True)) == {"done"}


def test_what_is_told_of_another_account_is_none_of_its_business(client: Client, world: World) -> None:
    assert tell(client, world, changed("message_template_status_update", account="999", event="APPROVED")) == 200
    work_off(NOW)
    assert standing() == []
    assert ProviderCallback.objects.get().status == "unhandled"


def test_a_forged_word_changes_nothing(client: Client, world: World) -> None:
    body = changed("message_template_status_update", event="APPROVED")
    headers = {"X-Hub-Signature-256": signature(body, "another secret")}
    assert post(client, path_of(world), body, "application/json", **headers).status_code == 401
    work_off(NOW)
    assert standing() == []


def test_an_older_list_takes_back_no_newer_word(client: Client, world: World, meta: WhatsAppServer) -> None:
    tell(client, world, changed("message_template_status_update", event="DISABLED"))
    work_off(NOW)
    heard = Approval.objects.get().as_of
    meta.templates = [template()]
    ask(world.connector, heard - timedelta(minutes=1))
    assert [row[2] for row in standing()] == ["disabled"]
    ask(world.connector, heard + timedelta(minutes=1))
    assert [row[2] for row in standing()] == ["approved"]


# --- Before anything is sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "came", "detail"),
    [
        (template(), ("sent", ""), ""),
        (template("another"), ("failed", "not_approved"), "order_ready (pt_BR): unknown"),
        (template(language="en"), ("failed", "not_approved"), "order_ready (pt_BR): unknown"),
        (template(status="REJECTED"), ("failed", "not_approved"), "order_ready (pt_BR): rejected"),
        (template(status="DISABLED"), ("failed", "not_approved"), "order_ready (pt_BR): disabled"),
        (template(status="PAUSED"), ("held", "not_approved"), "order_ready (pt_BR): paused"),
        (template(status="PENDING"), ("held", "not_approved"), "order_ready (pt_BR): pending"),
        (template(body="Oi"), ("failed", "not_approved"), "order_ready (pt_BR): places"),
        (template(body="{{1}} {{2}}"), ("failed", "not_approved"), "order_ready (pt_BR): places"),
        (template(status="SOMETHING_NEW"), ("sent", ""), ""),
    ],
)
def test_what_is_not_let_out_is_told_before_meta_is_asked(
    world: World, meta: WhatsAppServer, known: dict[str, Any], came: tuple[str, str], detail: str
) -> None:
    meta.templates = [known]
    ask(world.connector, NOW)
    message = write_to(world, ANA)
    dispatch(world, NOW)
    assert state(message) == came
    assert Message.objects.get(pk=message).detail == detail
    assert len(meta.taken) == (came[0] == "sent")


def test_what_was_paused_goes_out_once_it_is_let(client: Client, world: World, meta: WhatsAppServer) -> None:
    meta.templates = [template(status="PAUSED")]
    ask(world.connector, NOW)
    message = write_to(world, ANA)
    dispatch(world, NOW)
    meta.templates = [template()]
    ask(world.connector, NOW + timedelta(minutes=20))
    dispatch(world, NOW + timedelta(minutes=29))
    assert state(message) == ("held", "not_approved")
    dispatch(world, NOW + timedelta(minutes=31))
    assert state(message) == ("sent", "")


def test_what_was_heard_long_ago_refuses_nobody(world: World, meta: WhatsAppServer) -> None:
    meta.templates = []
    ask(world.connector, NOW - timedelta(days=4))
    assert books([world.connector.pk], NOW) == {}
    message = write_to(world, ANA)
    dispatch(world, NOW)
    assert state(message) == ("sent", "")


def test_a_picture_belongs_to_it_or_not(world: World, meta: WhatsAppServer) -> None:
    parts = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Oi {{1}}"}]
    meta.templates = [template(components=parts), template("plain")]
    ask(world.connector, NOW)
    book = books([world.connector.pk], NOW)[world.connector.pk]
    said: dict[str, Any] = {"language": "pt_BR", "parameters": ["Ana"]}
    assert book.fault(said | {"template": "order_ready"}, "pt") is Fault.IMAGE
    assert book.fault(said | {"template": "order_ready", "image": "https://a.example/x.png"}, "pt") is None
    assert book.fault(said | {"template": "plain", "image": "https://a.example/x.png"}, "pt") is Fault.IMAGE
    assert book.fault({}, "pt") is None


# --- The pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client: Client, world: World) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "-"))
    return client


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("channels.checks.approved.utcnow", "customers.clock.utcnow"):
        monkeypatch.setattr(place, lambda: NOW)


@pytest.mark.usefixtures("_now")
def test_a_text_that_would_not_be_let_out_is_saved_with_a_warning(
    staff: Client, world: World, meta: WhatsAppServer
) -> None:
    meta.templates = [template(status="PAUSED")]
    ask(world.connector, NOW)
    options = json.dumps({"template": "order_ready", "language": "pt_BR", "parameters": ["x"]})
    form = {
        "template": str(world.version.template_id),
        "texts-TOTAL_FORMS": "1",
        "texts-INITIAL_FORMS": "0",
        "texts-0-locale": "pt",
        "texts-0-text": "Oi",
        "texts-0-options": options,
    }
    answer = staff.post(reverse("admin:channels_templateversion_add"), form, follow=True)
    assert TemplateVersion.objects.count() == 2
    said = "The template order_ready (pt_BR) cannot be sent by Mail: the provider has paused it."
    assert said in answer.content.decode()
    page = staff.get(reverse("admin:channels_template_change", args=[world.version.template_id])).content.decode()
    assert "the provider has paused it" in page
    preview = reverse("admin:channels_templateversion_preview", args=[TemplateVersion.objects.latest("number").pk])
    assert said in staff.get(preview).content.decode()


def test_somebody_may_ask_at_once(staff: Client, world: World, meta: WhatsAppServer) -> None:
    meta.templates = [template()]
    form = {"action": "ask_templates", "_selected_action": str(world.connector.pk)}
    answer = staff.post(reverse("admin:channels_connector_changelist"), form, follow=True)
    assert "Mail: 1 templates were read." in answer.content.decode()
    assert [row[0] for row in standing()] == ["order_ready"]
    assert "order_ready" in staff.get(reverse("admin:channels_approval_changelist")).content.decode()
