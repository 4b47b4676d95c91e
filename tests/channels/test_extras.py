"""What templates name beside what comes with a message: loaded at once for a batch; trouble stays with its message."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.dispatch import dispatch_due, extras
from channels.dispatch.extras import Fail, Later, Want
from channels.models import Message, Reason, TemplateText
from channels.templates import Text
from tests.channels.world import NOW, World, content, state

Load = Callable[[Sequence[Want], datetime, float], Sequence[Any]]


@pytest.fixture
def weather() -> Iterator[list[Sequence[Want]]]:
    """A root `weather`, and whom it was asked for, call by call."""
    asked: list[Sequence[Want]] = []

    def load(wants: Sequence[Want], now: datetime, until: float) -> Sequence[Any]:
        asked.append(wants)
        return [{"sky": f"clear over {want.context['customer']['first_name']}"} for want in wants]

    extras.register("weather", load)
    yield asked
    extras.unregister("weather")


def loads(load: Load) -> None:
    """Have `weather` loaded by this instead."""
    extras.unregister("weather")
    extras.register("weather", load)


def say(world: World, text: str) -> None:
    TemplateText.objects.filter(version=world.version).update(subject="Hello", html="", text=text)


def test_a_batch_is_loaded_at_once_and_only_for_whom_it_is_named(world: World, weather: list[Sequence[Want]]) -> None:
    say(world, "{{ weather.sky }}")
    other = world.version.template.versions.create(number=2)
    TemplateText.objects.create(version=other, locale="en", subject="Hello", text="weather is no field here")
    ana, eva = world.person(), world.person("eva@example.com", first_name="Eva")
    first, second = world.queue(ana), world.queue(eva)
    plain = world.queue(ana, template_version_id=other.pk)
    dispatch_due(world.connector.pk, NOW)
    assert (content(first).body, content(second).body) == ("clear over Ana", "clear over Eva")
    assert content(plain).body == "weather is no field here"
    [wants] = weather
    assert {want.profile_id for want in wants} == {ana.profile.pk, eva.profile.pk}
    assert {(want.names, want.purpose_id, want.locale) for want in wants} == {
        (frozenset({("sky",)}), world.purpose.pk, "pt-BR")
    }


def test_the_text_of_the_readers_language_decides_what_is_loaded(world: World, weather: list[Sequence[Want]]) -> None:
    TemplateText.objects.filter(version=world.version, locale="en").update(text="{{ weather.sky }}")
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("sent", "")
    assert weather == []


def test_one_that_fails_fails_alone(world: World, weather: list[Sequence[Want]]) -> None:
    say(world, "{{ weather.sky }}")
    ana, eva = world.person(), world.person("eva@example.com", first_name="Eva")
    failed, sent = world.queue(ana), world.queue(eva)
    loads(
        lambda wants, _now, _until: [
            Fail(Reason.MISSING_FIELD, "no weather") if want.profile_id == ana.profile.pk else {"sky": "blue"}
            for want in wants
        ]
    )
    dispatch_due(world.connector.pk, NOW)
    assert state(failed) == ("failed", "missing_field")
    assert Message.objects.get(pk=failed).detail == "no weather"
    assert (state(sent), content(sent).body) == (("sent", ""), "blue")


def test_one_that_has_to_wait_comes_back_and_is_no_try(world: World, weather: list[Sequence[Want]]) -> None:
    say(world, "{{ weather.sky }}")
    message = world.queue(world.person())
    loads(lambda wants, _now, _until: [Later(Reason.TROUBLE, "no answer", 90) for _want in wants])
    dispatch_due(world.connector.pk, NOW)
    row = Message.objects.get(pk=message)
    assert (row.state, row.reason, row.detail, row.attempts, row.crashes) == ("queued", "trouble", "no answer", 0, 0)
    assert timedelta(seconds=90) <= row.due_at - NOW < timedelta(seconds=95)
    loads(lambda wants, _now, _until: [{"sky": "blue"} for _want in wants])
    dispatch_due(world.connector.pk, NOW + timedelta(seconds=95))
    assert state(message) == ("sent", "")


def test_what_has_to_wait_too_long_expires(world: World, weather: list[Sequence[Want]]) -> None:
    say(world, "{{ weather.sky }}")
    message = world.queue(world.person(), expires_at=NOW + timedelta(minutes=1))
    loads(lambda wants, _now, _until: [Later(Reason.TROUBLE, "no answer", 3600) for _want in wants])
    dispatch_due(world.connector.pk, NOW)
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=1))
    assert state(message) == ("expired", "late")


def test_a_loader_that_breaks_breaks_only_the_message_it_broke_over(
    world: World, weather: list[Sequence[Want]]
) -> None:
    say(world, "{{ weather.sky }}")
    ana, eva = world.person(), world.person("eva@example.com", first_name="Eva")
    broken, sent = world.queue(ana), world.queue(eva)

    def load(wants: Sequence[Want], now: datetime, until: float) -> Sequence[Any]:
        if any(want.profile_id == ana.profile.pk for want in wants):
            raise ZeroDivisionError("of ana@example.com")
        return [{"sky": "blue"} for _want in wants]

    loads(load)
    dispatch_due(world.connector.pk, NOW)
    row = Message.objects.get(pk=broken)
    assert (row.state, row.crashes, row.detail) == ("queued", 1, "weather: ZeroDivisionError")
    assert state(sent) == ("sent", "")


def test_what_is_late_or_has_no_address_is_not_loaded(world: World, weather: list[Sequence[Want]]) -> None:
    say(world, "{{ weather.sky }}")
    message = world.queue(world.person(), address_id=None)
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "no_address")
    assert weather == []


def test_names_are_read_of_every_part_and_of_none_that_is_broken(weather: list[Sequence[Want]]) -> None:
    text = Text("en", "{{ weather.sky }}", "{% if weather %}{% endif %}", "{{ weather", {"link": "{{ weather.link }}"})
    assert extras.named_in(text) == {"weather": frozenset({("sky",), (), ("link",)})}
    local = Text("en", "", "", "{% assign weather = 'x' %}{{ weather }}{{ customer.weather }}")
    assert extras.named_in(local) == {}


def test_a_root_has_one_loader_and_none_of_the_messages_own(weather: list[Sequence[Want]]) -> None:
    assert {"weather", "customer", "now"} <= extras.roots()
    for taken in ("weather", "customer"):
        with pytest.raises(ValueError, match="templates name something else"):
            extras.register(taken, lambda wants, _now, _until: [None for _want in wants])
