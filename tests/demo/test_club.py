"""The club that a journey of the demo asks: another system over HTTP, and one journey through all of its answers."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db.models import Count

from channels.models import Connector, Message, TemplateVersion
from channels.previews import Ask, show
from channels.previews.make import texts_of
from config.demo import club, company, history, staff
from config.demo.brands import BRANDS
from config.demo.size import Size
from customers import keys
from customers.accept import schemas
from journeys.models import Call, Cause, Occurrence, Run, Transition, Variable
from tests.channels.world import NOW
from tests.demo.test_history import END

SIZE = Size(people=90, days=20, live_days=8)


def asked(address: str, body: Any, key: str = "k") -> tuple[int, Any]:
    request = Request(f"http://{address}/stamps", json.dumps(body).encode(), {"Idempotency-Key": key})
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_it_says_the_same_of_the_same_person_and_is_busy_once_for_some(settings: Any) -> None:
    before = list(settings.TRILHA_CALL_HOSTS)
    with club.at_work() as address:
        assert [*before, address] == settings.TRILHA_CALL_HOSTS
        first = [asked(address, {"email": f"p{n}@example.com"}, f"k{n}") for n in range(60)]
        again = [asked(address, {"email": f"p{n}@example.com"}, f"k{n}") for n in range(60)]
    assert before == settings.TRILHA_CALL_HOSTS
    assert {status for status, _said in first} == {200, 404, 503}
    assert {status for status, _said in again} == {200, 404}
    cards = [club.card_of(f"p{n}@example.com") for n in range(60)]
    assert [said if status == 200 else None for status, said in again] == cards
    assert {card["has_profile"] for card in cards if card} == {True, False}
    assert {card["stamps"] for card in cards if card} <= set(range(13))


def test_a_question_that_is_none_is_refused() -> None:
    with club.at_work() as address:
        bodies: list[Any] = [{}, [], "x", None]
        assert [asked(address, body)[0] for body in bodies] == [422] * 4


@pytest.mark.django_db
def test_the_weekly_letter_says_how_many_bags_are_left_and_without_an_answer_no_number() -> None:
    company.found(NOW)
    version = TemplateVersion.objects.get(template__key="roasted-this-week", template__brand__key=BRANDS[0].key)
    ask = Ask(texts_of(version.pk), version.template.brand, NOW, locale="en")

    def said() -> tuple[str, list[str]]:
        shown = show(replace(ask, sources=list(version.sources.all())))
        assert shown.rendered is not None, shown.fault
        return shown.rendered.text, list(shown.notes)

    bags = club.lots_of(BRANDS[0].key)["bags"]
    with club.at_work() as address:
        company.find_club(address)
        assert said()[1] == []
        assert f"There are {bags} bags left." in said()[0]
        company.find_club(None)
        text, notes = said()
    assert "bags left" not in text
    assert notes == ["pulled.roaster shows what stands in for it (its host is not on the brand’s list)."]


@pytest.mark.slow
def test_the_journey_that_asks_it_runs_in_the_history(transactional_db: None) -> None:
    try:
        history.make(END, SIZE)
    finally:
        keys.forget()
        schemas.forget()
    runs = Run.objects.filter(journey__key="club-card")
    assert dict(Counter(Occurrence.objects.values_list("state", flat=True))) == {"called": 2, "planned": 2}
    assert runs.count() > 5
    assert not runs.filter(status=Run.Status.FAILED).exists()
    assert set(Call.objects.values_list("state", flat=True)) == {"answered", "failed"}
    causes = set(Transition.objects.filter(run__in=runs).values_list("cause", flat=True))
    assert causes >= {Cause.REPLIED, Cause.CAUGHT, Cause.BRANCH, Cause.HANDED_OVER}
    # Some were asked about twice, as the club was busy at first, and the reply is what the run remembers.
    assert Call.objects.filter(state="answered", attempts=2).exists()
    card = Variable.objects.filter(run__in=runs, name="stamps").first()
    assert card is not None
    found = club.card_of(card.run.profile.customer.traits["email"])
    assert found is not None
    assert card.number == found["stamps"]
    assert Message.objects.filter(template_version__template__key="club-reward", state="sent").exists()
    connectors = Connector.objects.filter(key=company.CLUB).annotate(brands=Count("brand"))
    assert connectors.count() == 2
    # What journeys told of themselves is no system's that could have a key.
    names = set(staff.write_keys(company.load(), {}, END))
    assert {f"{plan.key}/shop" for plan in BRANDS} < names
    assert not any(name.endswith("/trilha") for name in names)
