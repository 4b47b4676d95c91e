"""What others said of the erased: their name is masked where it stands, and all else of others stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from channels.models import Message, MessageContent
from consent.models import ConsentEvidence, Erasure, PrivacyRequest
from consent.privacy import erasure, requests
from consent.privacy.requests import Asking
from customers import jobs
from customers.ids import new_id
from customers.models import Customer, Event, EventPayload, Identifier, Segment, Source, Trait
from customers.privacy import erase, masking
from customers.privacy.exceptions import EXCEPTIONS
from customers.privacy.masking import Words, mask_document, mask_text
from customers.privacy.subject import find
from tests.consent.marked import Marked
from tests.journeys.stage import Stage, make_stage, welcome
from tests.promises.dump import search

pytestmark = pytest.mark.django_db

ANA = Marked("mkana7q")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(masking, "_WINDOW", 2)
    stage = make_stage()
    stage.publish(welcome(entry={"event": "friend.referred"}))
    stage.accept("identify", ANA.user, traits={"email": ANA.email}, email=ANA.email)
    stage.know("bia", referrer=ANA.email, city="Recife")
    return stage


def erased(stage: Stage) -> Erasure:
    names = requests.naming("user_id", ANA.user, [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="lgpd", channel="email", names=names, assurance=4)
    erasure.ask(requests.take_down(asking, stage.now), stage.now, None)
    for _turn in range(9):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    assert PrivacyRequest.objects.get().state == "done"
    return Erasure.objects.get()


def told(name: str) -> Any:
    event = Event.objects.get(name=name)
    return EventPayload.objects.get(event_id=event.pk).payload


def test_a_friends_events_traits_runs_and_messages_name_them_no_more(stage: Stage) -> None:
    said = {"friend": ANA.email.upper(), "note": f"tell {ANA.email}, please", "by": ANA.user, "n": [1, {"x": "y"}]}
    stage.happen("friend.referred", "bia", properties=said)
    content = MessageContent.objects.get(message=Message.objects.get())
    MessageContent.objects.filter(pk=content.pk).update(body=f"Hello, friend of {ANA.email}!", subject="Hello")
    customer = Identifier.objects.get(value="bia").profile.customer_id
    done = erased(stage)
    assert search(ANA.stem) == {}
    assert told("friend.referred")["properties"] == {
        "friend": "•••", "note": "tell •••, please", "by": "•••", "n": [1, {"x": "y"}],
    }  # fmt: skip
    assert Trait.objects.get(name="referrer").value == "•••"
    assert Customer.objects.get(pk=customer).traits == {"city": "Recife", "email": "bia@example.com", "referrer": "•••"}
    content.refresh_from_db()
    assert (content.subject, content.body) == ("Hello", "Hello, friend of •••!")
    assert done.counts["of_others"] >= 4


def test_everything_else_that_others_said_stays(stage: Stage) -> None:
    for number in range(5):
        stage.happen(f"said.{number}", "bia", properties={"friend": "carl@example.com", "n": number})
    before = dict(EventPayload.objects.filter(event_id__in=_of("bia")).values_list("event_id", "payload"))
    kept = {key: value for key, value in before.items() if ANA.stem not in str(value)}
    assert len(kept) >= 5
    erased(stage)
    after = dict(EventPayload.objects.filter(event_id__in=_of("bia")).values_list("event_id", "payload"))
    assert {key: after[key] for key in kept} == kept
    assert after.keys() == before.keys()


def _of(user: str) -> list[int]:
    profile = Identifier.objects.get(value=user).profile_id
    return list(Event.objects.filter(profile_id=profile).values_list("id", flat=True))


def test_a_local_name_means_somebody_else_in_another_namespace(stage: Stage) -> None:
    other = Source.objects.create(brand=stage.brand, key="other", name="Other", namespace=new_id())
    first, stage.source = stage.source, other
    stage.happen("elsewhere", "carl", properties={"by": ANA.user, "friend": ANA.email})
    stage.source = first
    erased(stage)
    assert told("elsewhere")["properties"] == {"by": ANA.user, "friend": "•••"}


@pytest.mark.parametrize("user", ["ana", "premium", "plan"])
def test_an_id_that_is_a_word_takes_that_word_from_nobody(stage: Stage, user: str) -> None:
    stage.know(user)
    stage.know("carla", first_name="Ana", plan="premium")
    names = requests.naming("user_id", user, [stage.source.namespace], stage.now)
    erase.whole(find(names), stage.now)
    assert Customer.objects.get(profiles__identifier__value="carla").traits == {
        "email": "carla@example.com", "first_name": "Ana", "plan": "premium",
    }  # fmt: skip


def test_a_rule_that_names_them_finds_nobody_any_more(stage: Stage) -> None:
    rule = {"leaf": "attribute", "name": "email", "op": "is", "value": ANA.email}
    segment = Segment.objects.create(brand=stage.brand, key="one", name="One", rule=rule)
    erased(stage)
    segment.refresh_from_db()
    assert segment.rule == {**rule, "value": "•••"}


def test_others_proof_of_consent_stays_as_it_was_told(stage: Stage) -> None:
    stage.happen("consent.granted", "bia", properties={"purpose": "news", "text": f"invited by {ANA.email}"})
    erased(stage)
    assert [one for one in ConsentEvidence.objects.values_list("fields__text", flat=True) if one] == [
        f"invited by {ANA.email}"
    ]
    assert set(search(ANA.stem)) == {"consent_consentevidence"}


def test_what_is_forgotten_at_once_is_counted_as_well(stage: Stage) -> None:
    counts: dict[str, int] = {}
    subject = find(requests.naming("user_id", ANA.user, [stage.source.namespace], stage.now))

    def tell(key: str, count: int) -> None:
        counts[key] = counts.get(key, 0) + count

    erase.begin(subject, stage.now, tell=tell)
    assert counts == {"evidence": 1, "people": 2}
    counts.clear()
    erase.begin(subject, stage.now, tell=tell)
    assert counts == {}


def test_edges_and_identifiers_stand_in_the_certificate(stage: Stage) -> None:
    done = erased(stage)
    assert done.counts["evidence"] == 1
    assert done.counts["people"] >= 5


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ana", "•••"), (" ANA ", "•••"), ("banana", "banana"), ("dear ana", "dear ana"), ("a@b.co", "•••"),
        ("x a@B.co y", "x ••• y"), ("łukasz-ω", "•••"), ("by łukasz-ω!", "by •••!"), ("", ""),
        ("a@b.co,a@b.co a@b.co", "•••,••• •••"), ("la@b.co", "la@b.co"), ("a@b.com", "a@b.com"),
        ("?q=a%40b.co&x", "?q=•••&x"), ("call 11 98765-4321!", "call •••!"), ("a@b.co.", "•••."),
    ],
)  # fmt: skip
def test_how_a_text_is_masked(text: str, masked: str) -> None:
    assert mask_text(text, Words.of({"ana", "a@b.co", "łukasz-ω", "+5511987654321"})) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("our marketing plan", "our ••• plan"), ("Marketing.", "•••."), ("(marketing)", "(•••)"),
        ("a=marketing&b", "a=•••&b"),
        ("telemarketing", "telemarketing"), ("marketings", "marketings"), ("marketing_plan", "marketing_plan"),
        ("marketing2", "marketing2"), ("email-marketing", "email-marketing"), ("marketing.plan", "marketing.plan"),
        ("marketing@x.com", "marketing@x.com"), ("marketing+1", "marketing+1"), ("émarketing", "émarketing"),
        ("so marketing. Then", "so •••. Then"), ("marketing - plan", "••• - plan"),
    ],
)  # fmt: skip
def test_an_id_that_is_a_word_is_masked_only_where_it_stands_whole(text: str, masked: str) -> None:
    assert mask_text(text, Words.of({"marketing"})) == masked


def test_how_a_document_is_masked() -> None:
    document = {"a@b.co": [1, 52998224725, True, None, "a@b.co"], "n": {"ana": "x"}}
    assert mask_document(document, Words.of({"a@b.co", "52998224725", "ana"})) == {
        "•••": [1, "•••", True, None, "•••"], "n": {"•••": "x"},
    }  # fmt: skip


def test_what_stays_is_said_on_the_data_map_and_on_the_certificate(stage: Stage) -> None:
    done = erased(stage)
    client = Client()
    client.force_login(User.objects.create_superuser("officer"))
    request = "/admin/consent/privacyrequest/"
    for path in ("data-map/", f"{done.request_id}/certificate/", f"{done.request_id}/certificate/?download=1"):
        page = client.get(f"{request}{path}").content.decode()
        assert all(str(one.what) in page and str(one.why) in page for one in EXCEPTIONS), path
