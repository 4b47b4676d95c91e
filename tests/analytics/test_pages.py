"""The pages that explain: who sees what on them, masked or not, and nothing on them is trusted."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.dispatch import dispatch_all
from channels.models import Connector, Message, MessageContent, Template
from consent.models import ConsentEntry, Purpose
from customers.ids import new_id
from customers.models import Brand, Customer, Event, EventPayload, Source, UnitAttempt
from journeys.models import Cause, EntryRefusal, Journey, Run, RunContext, Transition
from tests.channels.pacing import at_most
from tests.config.one_of_each import HOSTILE, make_one_of_each
from tests.journeys.stage import Stage, make_stage, welcome
from tests.query_counts import FILE, Frozen

pytestmark = pytest.mark.django_db


def address(page: str, key: object) -> str:
    return reverse(f"admin:{page}", args=[key])


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(name: str, *brands: Brand, personal: bool = False) -> User:
    """Somebody who may look at everything of these brands, in full only with `personal`."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    for brand in brands:
        assign_perm("view_brand", user, brand)
        if personal:
            assign_perm("view_pii", user, brand)
    return User.objects.get(pk=user.pk)


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def root() -> Client:
    return as_(User.objects.create_superuser("root"))


@pytest.fixture
def stage(db: None) -> Stage:
    """Ana, of gold, was welcomed, refused a second entry, and did not log in; her reminder waits."""
    stage = make_stage()
    stage.publish(welcome())
    stage.know(plan="gold", nickname="Anita")
    stage.accept("customer.signed_up", properties={"campaign": "spring-of-ana"})
    stage.run()
    dispatch_all(stage.now)
    stage.happen("customer.signed_up")
    stage.pass_time(days=1)
    return stage


@pytest.fixture
def elsewhere(stage: Stage) -> Brand:
    """Another brand that knows Ana by the same mail address, and something that is its own."""
    brand = Brand.objects.create(key="other", name="Other")
    Purpose.objects.create(brand=brand, key="letters", name="Letters of the other", kind="marketing")
    own, stage.source = stage.source, Source.objects.create(brand=brand, key="till", name="The other's till")
    stage.happen("other.bought", "", properties={"wine": "vermilion"}, email="ana@example.com")
    stage.accept("identify", "", traits={"allergy": "walnuts"}, email="ana@example.com")
    stage.run()
    stage.source = own
    return brand


def ana() -> UUID:
    return Customer.objects.filter(profiles__isnull=False).distinct().get().pk


def customer_page() -> str:
    return address("customers_customer_change", ana())


def the_pages() -> dict[str, str]:
    return {
        "customer": customer_page(),
        "sent message": address("channels_message_change", Message.objects.get(state="sent").pk),
        "waiting message": address("channels_message_change", Message.objects.get(state="queued").pk),
        "run": address("journeys_run_change", Run.objects.get().pk),
        "refused entry": address("journeys_entryrefusal_change", EntryRefusal.objects.get().pk),
        "journey numbers": address("journeys_journey_numbers", Journey.objects.get().pk) + "?days=90",
        "messages": reverse("admin:channels_message_changelist"),
    }


def test_a_messages_page_says_which_policies_were_asked_in_words(root: Client) -> None:
    stage = make_stage()
    cap = at_most(stage.brand, 3)
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    dispatch_all(stage.now)
    text = shown(root, address("channels_message_change", Message.objects.get(state="sent").pk))
    said = f"{cap.name}: 3 messages at most within 24 hours"
    assert f"<dt>policies asked</dt> <dd> {said} </dd>" in text
    assert f"<dt>{said}</dt><dd>0</dd>" in text
    assert str(cap.pk) not in text


def test_the_customers_page_tells_one_story(stage: Stage, root: Client) -> None:
    text = shown(root, customer_page())
    for part in (
        "ana@example.com", "customer.signed_up", "spring-of-ana", "Known by", "Addresses and permission", "Anita",
        "entered, version 1", "not let in: a run of this key is live", "given", "1 piece of evidence",
    ):  # fmt: skip
        assert part in text, part


def test_the_story_is_narrowed_by_kind_channel_and_brand(stage: Stage, elsewhere: Brand, root: Client) -> None:
    only_messages = shown(root, customer_page() + "?kind=message")
    assert 'class="line-entry line-entry--message' in only_messages
    assert 'class="line-entry line-entry--event' not in only_messages
    assert "other.bought" in shown(root, customer_page() + f"?brand={elsewhere.pk}")
    assert "other.bought" not in shown(root, customer_page() + f"?brand={stage.brand.pk}")
    assert 'class="line-entry' not in shown(root, customer_page() + "?channel=sms")


def test_older_entries_are_a_page_further(stage: Stage, root: Client) -> None:
    for _n in range(45):
        stage.accept("page.viewed")
    stage.run()
    first = root.get(customer_page())
    assert len(first.context["entries"]) == 40
    second = root.get(customer_page() + first.context["older"])
    assert len(second.context["entries"]) > 5
    assert second.context["older"] == ""
    assert second.context["newest"] == "?"


@pytest.mark.parametrize(
    "query", ["after=x", "after=2026-03-02T12:00:00%2B00:00~event~x", "kind=nothing", "brand=1", "channel=pigeon",
              "after=2026-03-02T12:00:00%2B00:00~message~17", "after=0001-01-01T00:00:00%2B23:59~event~1"],
)  # fmt: skip
def test_what_makes_no_sense_narrows_nothing(stage: Stage, root: Client, query: str) -> None:
    assert len(root.get(f"{customer_page()}?{query}").context["entries"]) > 10


def test_a_message_explains_itself(stage: Stage, root: Client) -> None:
    text = shown(root, the_pages()["sent message"])
    for part in (
        "It was sent: the provider took it.", "“customer.signed_up” brought them in.", "Consent at entry",
        "the same ledger entry as above", "The only one known for this channel.", "journeys.guard", "sandbox-",
    ):  # fmt: skip
        assert part in text, part


def test_a_run_shows_its_way_and_its_messages(stage: Stage, root: Client) -> None:
    text = shown(root, the_pages()["run"])
    assert "Nothing that “hold” awaited came in time." in text
    assert "now at “lost”, state lost" in text
    assert text.count('<li> <a class="t-link" href="/admin/channels/message/') == 2
    assert "&lt;Message" not in text


def test_a_refused_entry_has_a_page_with_the_reason(stage: Stage, root: Client) -> None:
    text = shown(root, the_pages()["refused entry"])
    assert "A run of this person, journey and key was live already." in text
    assert "What would have allowed it:" in text


def test_the_numbers_of_a_journey_add_up_on_their_page(stage: Stage, root: Client) -> None:
    Run.objects.update(entered_at=stage.now)
    page = root.get(address("journeys_journey_numbers", Journey.objects.get().pk) + "?days=7")
    assert dict(page.context["totals"]) == {
        "entered": 0, "of them live": 0, "of them completed": 0, "ended otherwise": 0, "refused": 0
    }  # fmt: skip


def test_a_period_shows_its_runs(stage: Stage, root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    page = root.get(address("journeys_journey_numbers", Journey.objects.get().pk) + "?days=7")
    text = " ".join(page.content.decode().split())
    assert dict(page.context["totals"]) == {
        "entered": 1, "of them live": 0, "of them completed": 1, "ended otherwise": 0, "refused": 1
    }  # fmt: skip
    assert text.count("adds up</span>") == 4
    assert "does not add up" not in text
    assert "branch 1: login.succeeded" not in text
    for definition in ("Of the waits at a hold that are over", "75 of 100 finished stays", "95 of 100 took at most"):
        assert definition in text


def test_what_was_not_sent_leads_to_its_messages(stage: Stage, root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    Message.objects.filter(state="queued").update(state="suppressed", reason="withdrawn")
    page = root.get(address("journeys_journey_numbers", Journey.objects.get().pk) + "?days=7")
    [(part, link)] = next(parts for counted, parts in page.context["lists"] if hasattr(counted, "by_reason") and parts
                          and parts[0][1])  # fmt: skip
    assert (part.key, part.count) == ("withdrawn", 1)
    assert [message.reason for message in root.get(link).context["cl"].result_list] == ["withdrawn"]


def test_a_run_in_trouble_shows_its_attempts(stage: Stage, root: Client) -> None:
    run = Run.objects.get()
    UnitAttempt.objects.create(queue="advance", unit_id=run.pk, attempts=3, reason="KeyError", next_at=stage.now)
    text = shown(root, address("journeys_run_change", run.pk))
    assert "<dt>failed attempts</dt> <dd> 3 </dd>" in text


def test_without_the_right_to_personal_data_nothing_personal_is_shown(stage: Stage) -> None:
    client = as_(staff("marketer", stage.brand))
    personal = ("ana@example.com", "Anita", "spring-of-ana", ">ana<")
    for name, path in the_pages().items():
        text = shown(client, path)
        assert [value for value in personal if value in text] == [], name


def test_with_it_everything_is(stage: Stage) -> None:
    client = as_(staff("agent", stage.brand, personal=True))
    text = shown(client, customer_page())
    assert [value for value in ("ana@example.com", "Anita", "spring-of-ana") if value not in text] == []


def test_each_row_is_seen_by_its_own_brand_alone(stage: Stage, elsewhere: Brand) -> None:
    theirs = ("other.bought", "walnuts", "Letters of the other", "vermilion", "The other&#x27;s till")
    here = shown(as_(staff("here", stage.brand, personal=True)), customer_page())
    assert [value for value in theirs if f"{value}<" in here or f"{value} " in here] == []
    there = shown(as_(staff("there", elsewhere, personal=True)), customer_page())
    ours = ("customer.signed_up", "Anita", "News", "Note", "not let in")
    assert [value for value in ours if value in there] == []
    assert "other.bought" in there
    assert "walnuts" in there


def test_foreign_pages_answer_as_unknown_ones(stage: Stage, elsewhere: Brand) -> None:
    client = as_(staff("there", elsewhere, personal=True))
    for name, path in the_pages().items():
        if name in ("customer", "messages"):
            continue
        path = path.partition("?")[0]
        key = path.strip("/").split("/")[-2]
        unknown = path.replace(key, str(new_id()) if "-" in key else "999999")
        foreign, none = client.get(path), client.get(unknown)
        assert (foreign.status_code, foreign["Location"]) == (none.status_code, none["Location"]) == (302, "/admin/"), (
            name
        )


def test_nobody_without_the_permission_opens_a_page(stage: Stage) -> None:
    user = User.objects.create_user("nobody", is_staff=True)
    assign_perm("view_brand", user, stage.brand)
    client = as_(user)
    assert {name: client.get(path).status_code for name, path in the_pages().items()} == dict.fromkeys(the_pages(), 403)


def test_no_value_is_trusted_on_any_page(root: Client) -> None:
    """BAD_INPUTS 69: names, properties, traits, a provider's words, keys."""
    make_one_of_each()
    told = Event.objects.get()
    told.pk, told.name, told.message_id = 2, HOSTILE, HOSTILE
    told.save(force_insert=True)
    EventPayload.objects.create(
        event_id=2,
        received_at=told.received_at,
        payload={"properties": {HOSTILE: HOSTILE, "nested": {HOSTILE: [HOSTILE]}}},
    )
    for model in (RunContext, EntryRefusal):
        model.objects.update(event_id=2, event_received_at=told.received_at)
    Transition.objects.create(
        run=Run.objects.get(), seq=2, at=told.received_at, step_from=0, state_to=1, cause=Cause.EXIT, event_id=2,
        event_received_at=told.received_at,
    )  # fmt: skip
    Journey.objects.update(name=HOSTILE)
    Template.objects.update(name=HOSTILE)
    Connector.objects.update(name=HOSTILE)
    Source.objects.update(name=HOSTILE)
    Purpose.objects.update(name=HOSTILE)
    Brand.objects.update(name=HOSTILE)
    MessageContent.objects.update(subject=HOSTILE, body=HOSTILE, context={HOSTILE: HOSTILE})
    event = {"event": {"name": HOSTILE, "message_id": HOSTILE, "id": None, "occurred_at": "2026-03-02T12:00:00+00:00"}}
    decision = {"guards": [HOSTILE], "asked_at": "2026-03-02T12:00:00+00:00"} | event
    Message.objects.update(state="failed", reason="refused", detail=HOSTILE, provider_id=HOSTILE, decision=decision)
    Run.objects.update(entry_key=HOSTILE)
    EntryRefusal.objects.update(entry_key=HOSTILE)
    pages = [
        *(address("customers_customer_change", customer.pk) for customer in Customer.objects.all()),
        address("channels_message_change", Message.objects.get().pk),
        address("journeys_run_change", Run.objects.get().pk),
        address("journeys_entryrefusal_change", EntryRefusal.objects.get().pk),
        address("journeys_journey_numbers", Journey.objects.get().pk),
        reverse("admin:channels_message_changelist"),
    ]
    for path in pages:
        text = shown(root, path)
        assert "<script>alert" not in text, path
        assert "&lt;script&gt;" in text, path


def test_hot_pages_ask_what_they_asked(stage: Stage, root: Client, frozen_queries: Frozen) -> None:
    for name, path in the_pages().items():
        frozen_queries(f"{name} page", lambda path=path: root.get(path))  # type: ignore[misc]  # bound at once


def test_a_longer_story_asks_no_more(stage: Stage, root: Client, django_assert_num_queries: Any) -> None:
    for n in range(30):
        stage.accept("identify", traits={f"t{n}": n})
    for n in range(3):
        stage.accept("consent.granted", properties={"purpose": "news", "address": f"ana{n}@example.com"})
    stage.run()
    path = customer_page()
    root.get(path)
    with django_assert_num_queries(_frozen("customer page")):
        root.get(path)
    assert ConsentEntry.objects.count() == 4


def _frozen(name: str) -> int:
    frozen: dict[str, int] = json.loads(FILE.read_text())
    return frozen[name]
