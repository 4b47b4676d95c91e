"""Before a journey is published: what its messages would say, looked through for what its purpose asks of them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from channels.models import TemplateText
from consent.models import Purpose
from journeys.models import Journey
from journeys.wording import wordings
from tests.journeys.stage import Stage, message, welcome

NO_WAY_OUT = "No way out in the plain text: marketing needs a link to {{ unsubscribe_url }} or {{ preferences_url }}."
NO_ADDRESS = "The brand’s postal address is missing, which marketing needs: {{ brand.postal_address }}."


@pytest.fixture
def journey(stage: Stage) -> Journey:
    return Journey.objects.create(brand=stage.brand, key="welcome", name="Welcome", draft=welcome())


def told(journey: Journey, document: object = None) -> list[tuple[list[str], list[tuple[str, str]]]]:
    return [
        (list(one.steps), [(found.level.value, found.text) for found in one.findings])
        for one in wordings(journey, document or journey.draft)
    ]


def test_marketing_without_a_way_out_is_a_fault(journey: Journey) -> None:
    assert told(journey) == [(["welcome", "remind"], [("fault", NO_WAY_OUT), ("fault", NO_ADDRESS)])]


@pytest.mark.parametrize("kind", ["service", "legal"])
def test_what_is_no_marketing_needs_none(journey: Journey, kind: str) -> None:
    Purpose.objects.update(kind=kind)
    assert told(journey) == []


def test_the_latest_version_counts_and_each_template_is_told_once(journey: Journey) -> None:
    TemplateText.objects.update(text="Hello {{ unsubscribe_url }} {{ brand.postal_address }} {{ costumer.name }}")
    assert told(journey) == [
        (["welcome", "remind"], [("fault", "No message knows costumer.name: it would never be sent.")])
    ]


def test_a_draft_that_cannot_be_read_or_names_no_template_says_nothing(journey: Journey) -> None:
    assert told(journey, {"steps": 3}) == []
    lost = welcome()
    lost["steps"] = [message("welcome", next="done") | {"template": "nowhere"}]
    assert told(journey, lost) == []


def test_the_page_on_which_it_is_published_tells_it_and_leads_to_the_words(journey: Journey, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:journeys_journey_publication", args=[journey.pk])).content.decode()
    version = wordings(journey, journey.draft)[0].version.pk
    assert "What its messages say" in page
    assert reverse("admin:channels_templateversion_preview", args=[version]) in page
    assert "Publish the journey" in page
    TemplateText.objects.update(text="Hello {{ unsubscribe_url }} {{ brand.postal_address }}")
    again = client.get(reverse("admin:journeys_journey_publication", args=[journey.pk])).content.decode()
    assert "What its messages say" not in again
