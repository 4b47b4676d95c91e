"""Care for connectors in the database: rests, quotas and rates hold for all workers, and everything is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from channels.care.health import health
from channels.care.probe import probe
from channels.care.state import ask_leave, wake
from channels.dispatch import dispatch_all, dispatch_due
from channels.models import BreakerTurn, Connector, ConnectorHour, ConnectorState, Message
from channels.providers.base import Blame, DeliveryError
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World, make_world, state

TROUBLE = DeliveryError("timeout", accepted="no", blame=Blame.PROVIDER)


@pytest.fixture
def recorded(db: None, recorder: type[Recorder]) -> World:
    return make_world("recorder")


def queue(world: World, count: int) -> list[UUID]:
    return [world.queue(world.person(f"p{n}@example.com")) for n in range(count)]


def in_trouble(count: int, error: DeliveryError = TROUBLE) -> None:
    Recorder.errors.extend([error] * count)


def test_after_so_many_failures_the_connector_rests_and_the_rest_wait_with_a_reason(recorded: World) -> None:
    messages = queue(recorded, 8)
    in_trouble(20)

    dispatch_due(recorded.connector.pk, NOW)
    assert len(Recorder.calls) == 5
    dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=1))

    assert len(Recorder.calls) == 5
    assert sorted(state(one) for one in messages) == sorted(
        [("queued", "trouble")] * 5 + [("held", "connector_rests")] * 3
    )
    turn = BreakerTurn.objects.get()
    assert (turn.turn, turn.rest, turn.detail) == ("opened", "trouble", "timeout")
    held = Message.objects.filter(reason="connector_rests").order_by("due_at")
    assert [one.pk for one in held] == messages[5:]
    assert all(timedelta() <= one.due_at - turn.until < timedelta(seconds=1) for one in held)  # type: ignore[operator]


def test_after_its_rest_one_message_tries_it_and_ends_the_trouble(recorded: World) -> None:
    messages = queue(recorded, 7)
    in_trouble(5)
    dispatch_due(recorded.connector.pk, NOW)
    later = NOW + timedelta(hours=1)

    dispatch_due(recorded.connector.pk, later)
    assert len(Recorder.calls) == 6
    dispatch_due(recorded.connector.pk, later + timedelta(seconds=1))

    assert [state(one) for one in messages] == [("sent", "")] * 7
    assert list(BreakerTurn.objects.order_by("pk").values_list("turn", flat=True)) == ["opened", "closed"]
    assert ConnectorState.objects.get().failures == 0


def test_a_failure_of_the_one_that_tries_it_rests_it_again(recorded: World) -> None:
    queue(recorded, 7)
    in_trouble(6)
    dispatch_due(recorded.connector.pk, NOW)

    dispatch_due(recorded.connector.pk, NOW + timedelta(hours=1))

    assert len(Recorder.calls) == 6
    assert ConnectorState.objects.get().rests == 2


def test_a_refused_log_in_waits_for_whoever_mends_it_and_is_no_try(recorded: World) -> None:
    messages = queue(recorded, 3)
    in_trouble(1, DeliveryError("401", blame=Blame.SETTINGS))

    dispatch_due(recorded.connector.pk, NOW)
    dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=1))

    assert len(Recorder.calls) == 1
    assert {state(one) for one in messages} == {("queued", "trouble"), ("held", "connector_rests")}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    assert wake(recorded.connector.pk, NOW + timedelta(seconds=2))
    assert not wake(recorded.connector.pk, NOW + timedelta(seconds=2))
    dispatch_due(recorded.connector.pk, NOW + timedelta(hours=1))
    assert [state(one) for one in messages] == [("sent", "")] * 3


def test_what_a_provider_says_of_messages_never_rests_it(recorded: World) -> None:
    messages = queue(recorded, 8)
    in_trouble(8, DeliveryError("550", permanent=True))

    dispatch_due(recorded.connector.pk, NOW)

    assert {state(one) for one in messages} == {("failed", "refused")}
    assert not BreakerTurn.objects.exists()


def test_a_connector_in_trouble_holds_up_no_other(recorded: World) -> None:
    other = Connector.objects.create(
        brand=recorded.brand, key="other", name="Other", channel="email", provider="sandbox"
    )
    queue(recorded, 6)
    in_trouble(100)
    fine = [recorded.queue(recorded.person(f"q{n}@example.com"), connector_id=other.pk) for n in range(6)]

    dispatch_all(NOW, stop_after_seconds=2)

    assert [state(one) for one in fine] == [("sent", "")] * 6


def test_a_quota_holds_the_rest_until_the_brand_s_next_day(recorded: World) -> None:
    recorded.brand.zone = "America/Sao_Paulo"
    recorded.brand.save()
    Connector.objects.update(most_per_day=2)
    messages = queue(recorded, 4)

    dispatch_due(recorded.connector.pk, NOW)
    dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=1))

    assert sorted(state(one) for one in messages) == [("held", "quota")] * 2 + [("sent", "")] * 2
    held = Message.objects.filter(reason="quota").order_by("due_at").first()
    assert held is not None
    # Looked at now and then, should somebody raise the quota.
    assert held.due_at.replace(microsecond=0) == NOW + timedelta(minutes=15, seconds=1)
    dispatch_due(recorded.connector.pk, NOW.replace(day=3, hour=2, minute=50))
    assert held.pk in Message.objects.filter(reason="quota").values_list("pk", flat=True)
    assert Message.objects.filter(due_at__gte=NOW.replace(day=3, hour=3)).count() == 2
    assert len(Recorder.calls) == 2
    dispatch_due(recorded.connector.pk, NOW.replace(day=3, hour=4))
    assert [state(one) for one in messages] == [("sent", "")] * 4


def test_a_quota_that_is_raised_lets_the_rest_go_soon(recorded: World) -> None:
    Connector.objects.update(most_per_day=1)
    messages = queue(recorded, 3)
    dispatch_due(recorded.connector.pk, NOW)
    dispatch_due(recorded.connector.pk, NOW)

    Connector.objects.update(most_per_day=10)
    dispatch_due(recorded.connector.pk, NOW + timedelta(minutes=16))

    assert [state(one) for one in messages] == [("sent", "")] * 3


def test_whose_worker_died_has_a_share_of_a_scarce_rate(recorded: World) -> None:
    Connector.objects.update(most_per_second=10)
    queue(recorded, 30)
    suspect = recorded.queue(recorded.person("s@example.com"))
    Message.objects.filter(pk=suspect).update(crashes=1)

    dispatch_due(recorded.connector.pk, NOW)

    assert state(suspect) == ("sent", "")
    assert len(Recorder.calls) <= 10


def test_a_message_that_had_the_connector_rest_comes_back_behind_the_others(recorded: World) -> None:
    messages = queue(recorded, 4)
    in_trouble(1, DeliveryError("429", retry_after=30, blame=Blame.PROVIDER))

    dispatch_due(recorded.connector.pk, NOW)
    dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=1))

    due = dict(Message.objects.values_list("pk", "due_at"))
    guilty = [one for one in messages if state(one) == ("queued", "trouble")]
    assert len(guilty) == 1
    assert all(due[guilty[0]] > due[one] for one in messages if one not in guilty)


def test_a_connector_whose_turn_fails_holds_up_no_other(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Connector.objects.create(
        brand=recorded.brand, key="other", name="Other", channel="email", provider="sandbox"
    )
    queue(recorded, 1)
    fine = recorded.queue(recorded.person("q@example.com"), connector_id=other.pk)

    def fails(_self: Recorder) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Recorder, "open", fails)
    dispatch_all(NOW, stop_after_seconds=1)

    assert state(fine) == ("sent", "")


def test_what_is_refused_before_its_call_uses_up_nothing(recorded: World) -> None:
    Connector.objects.update(most_per_day=2)
    refused = recorded.queue(recorded.person("nobody@example.com", granted=False))
    messages = queue(recorded, 2)

    dispatch_due(recorded.connector.pk, NOW)
    dispatch_due(recorded.connector.pk, NOW)

    assert state(refused) == ("suppressed", "no_consent")
    assert [state(one) for one in messages] == [("sent", "")] * 2
    assert ConnectorState.objects.get().begun == 2


def test_a_rate_is_kept_batch_after_batch(recorded: World) -> None:
    Connector.objects.update(most_per_second=2)
    queue(recorded, 6)

    for second in range(3):
        dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=second))
        dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=second))

    assert len(Recorder.calls) == 6


@pytest.mark.django_db(transaction=True)
def test_any_number_of_workers_get_no_more_leave_than_there_is(recorder: type[Recorder]) -> None:
    connector = make_world("recorder").connector
    Connector.objects.update(most_per_day=50)
    connector.refresh_from_db()

    def ask(_worker: int) -> int:
        try:
            return sum(ask_leave(connector, NOW, 3).count for _time in range(5))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 50


def test_the_hours_tell_what_became_of_the_calls(recorded: World) -> None:
    queue(recorded, 4)
    Recorder.errors.extend([DeliveryError("550", permanent=True), DeliveryError("?", accepted="maybe"), TROUBLE])

    dispatch_due(recorded.connector.pk, NOW)

    hour = ConnectorHour.objects.get()
    assert (hour.taken, hour.refused, hour.troubled, hour.unknown, sum(hour.within)) == (1, 1, 1, 1, 4)
    found = health(recorded.connector, NOW + timedelta(minutes=10))
    assert (found.success, found.waiting) == (0.5, 1)


def test_a_connector_is_tried_without_sending(recorded: World) -> None:
    assert probe(recorded.connector) == ""
    recorded.connector.provider = "smtp"
    recorded.connector.config = {"host": "127.0.0.1", "port": 1, "security": "none"}
    assert "refused" in probe(recorded.connector).lower()
    assert Recorder.calls == []
