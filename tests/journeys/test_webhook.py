"""Asking another system: the request, its reply, errors by name, retries at their exact times, and who is left."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from analytics.why import explain_run
from channels import stops
from channels.providers.base import build
from customers import dead_letters
from customers.hooks.signatures import Signing, verify
from customers.models import DeadLetter
from customers.pg import raw_cursor
from journeys.changeover import PlanRow
from journeys.definition import InvalidDefinition
from journeys.engine.calls import settle
from journeys.engine.calls.claim import Claimed, claim
from journeys.engine.calls.due import _Round, call_due
from journeys.engine.calls.make import idempotency_key
from journeys.engine.changeovers import settle_changeovers
from journeys.models import Call, CallContent, Cause, Run, Transition, Variable
from journeys.publish import publish
from journeys.validate import check
from tests.channels import web_server
from tests.journeys.calling import RETRY, Calling, ask, asking, other_side
from tests.journeys.stage import T0, Stage, welcome


@pytest.fixture
def crm(stage: Stage, settings: Any) -> Iterator[Calling]:
    with other_side(stage, settings) as one:
        yield one


def causes(run: Run) -> list[Cause]:
    return [Cause(one) for one in Transition.objects.filter(run=run).order_by("seq").values_list("cause", flat=True)]


def test_the_other_system_is_asked_and_its_reply_is_held(crm: Calling) -> None:
    declared = [{"name": "score", "kind": "number"}, {"name": "tier", "kind": "text"}]
    reply = [{"variable": "score", "pointer": "/result/score"}, {"variable": "tier", "pointer": "/tiers/0"}]
    crm.system.answer(200, b'{"result": {"score": 7.5}, "tiers": ["gold"]}')
    crm.begin(asking(variables=declared, reply=reply))
    assert (crm.where(), crm.the_call().state) == ("ask", "waiting")
    crm.call()
    run = crm.the_run()
    assert (crm.where(), run.status) == ("done", Run.Status.COMPLETED)
    assert causes(run) == [Cause.ENTERED, Cause.REPLIED]
    held = {one.name: (one.seq, one.number, one.text) for one in Variable.objects.filter(run=run)}
    assert held == {"score": (2, 7.5, None), "tier": (2, None, "gold")}
    call = crm.the_call()
    assert (call.state, call.status, call.attempts, call.error) == ("answered", 200, 1, "")
    assert CallContent.objects.get().reply == '{"result": {"score": 7.5}, "tiers": ["gold"]}'


def test_what_is_told_comes_from_values_the_event_traits_and_variables(crm: Calling) -> None:
    data = [
        {"name": "id", "place": "path", "property": "cart.id"},
        {"name": "lang", "place": "query", "value": "pt br"},
        {"name": "x-kind", "place": "header", "value": "new"},
        {"name": "customer.plan", "trait": "plan"},
        {"name": "customer.vip", "value": True},
        {"name": "total", "variable": "total"},
        {"name": "nothing", "property": "missing"},
    ]
    crm.system.answer()
    declared = [{"name": "total", "kind": "number", "property": "total"}]
    crm.begin(asking(path="/carts/{id}/score", data=data, variables=declared), cart={"id": "a/b"}, total=40)
    crm.call()
    received = crm.system.received[0]
    assert (received.method, received.path) == ("POST", "/api/carts/a%2Fb/score?lang=pt+br")
    assert (received.headers["x-kind"], received.headers["content-type"]) == ("new", "application/json")
    assert crm.bodies() == [{"customer": {"plan": "pro", "vip": True}, "total": 40}]


@pytest.mark.parametrize("known", [{}, {"id": ".."}, {"id": ""}])
def test_without_what_the_path_names_nothing_is_asked(crm: Calling, known: dict[str, str]) -> None:
    crm.system.answer()
    crm.begin(asking(path="/carts/{id}", data=[{"name": "id", "place": "path", "property": "id"}]), **known)
    crm.call()
    assert (crm.where(), crm.the_call().error, crm.system.received) == ("lost", "bad_request", [])


def test_we_say_who_we_are_and_sign_what_we_say(stage: Stage, settings: Any) -> None:
    secret = "whsec_c2VjcmV0IG9mIHRoaXMgdGVzdA=="
    with other_side(stage, settings, authorization="Bearer t0ken", signing_secret=secret) as crm:
        crm.system.answer()
        crm.begin(asking(data=[{"name": "a", "value": 1}]))
        crm.call()
        received = crm.system.received[0]
    run = crm.the_run()
    key = str(idempotency_key(run.profile_id, run.pk, 1, T0))
    assert (received.headers["authorization"], received.headers["idempotency-key"]) == ("Bearer t0ken", key)
    signing = Signing("standard", "", "sha256", "base64", "", (secret,))
    assert verify(signing, received.headers, received.body, stage.now) == key
    assert CallContent.objects.get().headers == {}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, {}, b""), "status_404"),
        ((302, {"location": "http://127.0.0.1:1/"}, b""), "status_302"),
        ((200, {}, b'{"score": "high"}'), "bad_reply"),
        ((200, {}, b'{"score": 1, "name": "a\\u0000b"}'), "bad_reply"),
        ((200, {}, b"{}"), "bad_reply"),
        ((200, {}, b"[" * 5000), "bad_reply"),
        ((200, {}, b"<html>"), "bad_reply"),
        ((204, {}, b""), "bad_reply"),
        ((200, {}, b'"' + b"x" * 300_000 + b'"'), "too_large"),
        (web_server.drops, "interrupted"),
        (web_server.mumbles, "bad_reply"),
        (web_server.hangs, "timeout"),
    ],
)
def test_what_goes_wrong_has_a_name_and_a_way(crm: Calling, answer: Any, error: str) -> None:
    crm.system.answers = [answer]
    declared = [{"name": "score", "kind": "number"}, {"name": "name", "kind": "text"}]
    reply = [{"variable": "score", "pointer": "/score"}, {"variable": "name", "pointer": "/name", "optional": True}]
    crm.begin(asking(variables=declared, reply=reply, time_out="PT0.5S"))
    crm.call()
    call = crm.the_call()
    assert (call.state, call.error, crm.where()) == ("failed", error, "lost")
    assert causes(crm.the_run()) == [Cause.ENTERED, Cause.CAUGHT]
    assert [one["error"] for one in call.tries] == [error]
    assert not Variable.objects.exists()
    assert not DeadLetter.objects.exists()


def test_an_address_inside_is_refused_when_it_is_called(crm: Calling, settings: Any) -> None:
    crm.system.answer()
    crm.begin(asking())
    settings.TRILHA_CALL_HOSTS = []
    crm.call()
    # A connector that no longer may be called is one that does not fit: the call rests.
    assert (crm.the_call().state, crm.where(), crm.system.received) == ("waiting", "ask", [])


def test_a_missing_field_that_may_be_missing_leaves_the_variable(crm: Calling) -> None:
    crm.system.answer(200, b'{"score": null}')
    declared = [{"name": "score", "kind": "number", "default": 3}]
    crm.begin(asking(variables=declared, reply=[{"variable": "score", "pointer": "/score", "optional": True}]))
    crm.call()
    assert crm.where() == "done"
    assert list(Variable.objects.values_list("seq", "number")) == [(1, 3.0)]


def test_retries_come_at_their_exact_times_by_the_same_key(crm: Calling) -> None:
    crm.system.answer(503)
    crm.begin(asking(retry=[RETRY]))
    crm.call()
    call = crm.the_call()
    assert (call.state, call.due_at, call.attempts) == ("waiting", T0 + timedelta(seconds=10), 1)
    crm.pass_time(seconds=9.9)
    assert len(crm.system.received) == 1
    crm.pass_time(seconds=0.1)
    assert crm.the_call().due_at == T0 + timedelta(seconds=30)
    crm.pass_time(seconds=20)
    call = crm.the_call()
    assert (call.state, call.attempts, call.error, crm.where()) == ("failed", 3, "status_503", "lost")
    assert len({one.headers["idempotency-key"] for one in crm.system.received}) == 1


def test_a_retry_that_succeeds_goes_on_as_if_it_were_the_first(crm: Calling) -> None:
    crm.system.answers = [(500, {}, b""), (200, {}, b"{}")]
    crm.begin(asking(retry=[RETRY]))
    crm.call()
    crm.pass_time(seconds=10)
    assert (crm.where(), crm.the_call().attempts) == ("done", 2)


def test_a_busy_system_is_left_alone_for_as_long_as_it_asks(crm: Calling) -> None:
    crm.system.answers = [(429, {"retry-after": "90"}, b""), (200, {}, b"{}")]
    crm.begin(asking(retry=[{"errors": ["status_429"], "max_attempts": 1}]))
    crm.call()
    assert crm.the_call().due_at == T0 + timedelta(seconds=90)
    crm.pass_time(seconds=90)
    assert crm.where() == "done"


def test_however_often_it_is_busy_the_last_is_kept_and_how_often(crm: Calling) -> None:
    busy = (429, {"retry-after": "5"}, b"")
    crm.system.answers = [busy, busy, busy, (500, {}, b""), (200, {}, b"{}")]
    crm.begin(asking(retry=[{"errors": ["all"], "max_attempts": 1}]))
    crm.call()
    for _n in range(3):
        crm.pass_time(seconds=5)
    call = crm.the_call()
    assert [(one["error"], one.get("asked"), one.get("times", 1)) for one in call.tries] == [
        ("status_429", 5.0, 3),
        ("status_500", None, 1),
    ]
    assert (call.attempts, call.due_at) == (4, T0 + timedelta(seconds=16))
    crm.pass_time(seconds=1)
    assert crm.where() == "done"


def test_a_secret_of_ours_that_is_repeated_is_not_kept(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings, authorization="Bearer t0ken/1") as crm:
        crm.system.answer(401, rb'{"Authorization": "Bearer t0ken\/1", "token": "t0ken/1"}')
        crm.begin(asking())
        crm.call()
    assert CallContent.objects.get().reply == '{"Authorization": "•••", "token": "•••"}'


def test_further_headers_that_are_repeated_are_not_kept_either(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings, authorization="Bearer t0ken") as crm:
        headers = {"X-Api-Key": "key-9f8e7d6c", "X-Tenant": "acme", "Accept": "application/json"}
        crm.connector.config = {**crm.connector.config, "headers": headers}
        crm.connector.save()
        crm.system.answer(401, b'{"key": "key-9f8e7d6c", "tenant": "acme", "type": "application/json"}')
        crm.begin(asking())
        crm.call()
    said = '{"key": "\u2022\u2022\u2022", "tenant": "acme", "type": "application/json"}'
    assert CallContent.objects.get().reply == said


def test_no_piece_of_a_secret_is_left_where_a_long_reply_was_cut(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings, authorization="s" * 99 + "!") as crm:
        crm.system.answer(500, (b"s" * 99 + b"! ") * 200)
        crm.begin(asking())
        crm.call()
    assert "s" not in CallContent.objects.get().reply


def test_it_may_ask_by_date_and_up_to_the_longest_pause(crm: Calling) -> None:
    crm.system.answers = [(503, {"retry-after": "Mon, 02 Mar 2026 12:05:00 GMT"}, b"")]
    crm.begin(asking(retry=[{"errors": ["all"], "max_delay": "PT2M"}]))
    crm.call()
    assert crm.the_call().due_at == T0 + timedelta(minutes=2)


def test_nobody_waits_for_an_attempt_that_would_come_too_late(crm: Calling) -> None:
    crm.system.answer(500)
    crm.begin(asking(retry=[RETRY], within="PT25S"))
    crm.call()
    crm.pass_time(seconds=10)
    call = crm.the_call()
    assert (call.state, call.error, call.attempts, crm.where()) == ("failed", "status_500", 2, "lost")


def test_the_time_of_the_whole_step_ends_whatever_waits(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking(within="PT1H", catch=[{"errors": ["expired"], "next": "lost"}]))
    crm.stage.pass_time(hours=1)
    assert (crm.where(), crm.the_call().error) == ("lost", "expired")
    crm.call()
    assert crm.system.received == []


def test_what_nothing_catches_fails_the_run_and_is_a_dead_letter(crm: Calling) -> None:
    crm.system.answer(404)
    crm.begin(asking(catch=[{"errors": ["timeout"], "next": "lost"}]))
    crm.call()
    run = crm.the_run()
    assert (run.status, crm.where(), causes(run)) == (Run.Status.FAILED, "ask", [Cause.ENTERED, Cause.CALL_FAILED])
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.unit_id, letter.reason, letter.attempts) == (
        "calls",
        crm.the_call().pk,
        "status_404",
        1,
    )


def test_a_dead_letter_is_replayed_by_the_same_key_and_the_run_goes_on(crm: Calling) -> None:
    crm.system.answers = [(404, {}, b""), (200, {}, b"{}")]
    crm.begin(asking(catch=[{"errors": ["timeout"], "next": "lost"}]))
    crm.call()
    crm.stage.pass_time(days=1)
    assert dead_letters.replay([DeadLetter.objects.get().pk], crm.stage.now) == 1
    crm.call()
    run = crm.the_run()
    assert (run.status, crm.where(), crm.the_call().state) == (Run.Status.COMPLETED, "done", "answered")
    assert causes(run) == [Cause.ENTERED, Cause.CALL_FAILED, Cause.TAKEN_UP, Cause.REPLIED]
    assert len({one.headers["idempotency-key"] for one in crm.system.received}) == 1
    assert DeadLetter.objects.get().replayed_at is not None


def test_whoever_left_is_not_asked_about(crm: Calling) -> None:
    crm.system.answer()
    document = asking()
    document["exit_events"] = [{"event": "order.completed", "state": "activated"}]
    crm.begin(document)
    crm.stage.happen("order.completed")
    crm.call()
    assert (crm.the_call().state, crm.system.received) == ("left", [])


def test_a_reply_that_comes_late_changes_nothing(crm: Calling) -> None:
    """The run leaves while its call is in hand."""
    document = asking()
    document["exit_events"] = [{"event": "order.completed", "state": "activated"}]

    def slow(handler: Any) -> None:
        crm.stage.now += timedelta(seconds=1)
        handler.send_response(200)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    crm.system.answers = [slow]
    crm.begin(document)
    original = Call.objects.get()
    real = settle.settle

    def meanwhile(*args: Any) -> Any:
        crm.stage.happen("order.completed")
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.settle", meanwhile)
        crm.call()
    run = crm.the_run()
    assert causes(run) == [Cause.ENTERED, Cause.EXIT]
    assert run.status == Run.Status.EXITED
    assert Call.objects.get().pk == original.pk


def test_a_stop_holds_calls_and_lets_them_go_afterwards(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking())
    journey = crm.stage.journeys["welcome"]
    stops.stop(journey.pk, None, "", crm.stage.now)
    crm.call()
    assert (crm.the_call().state, crm.system.received) == ("waiting", [])
    stops.release(journey.pk, crm.stage.now)
    crm.pass_time(seconds=60)
    assert crm.where() == "done"


def test_a_connector_that_is_off_lets_calls_rest(crm: Calling) -> None:
    crm.system.answer()
    crm.connector.is_active = False
    crm.connector.save()
    crm.begin(asking())
    crm.call()
    assert (crm.the_call().state, crm.the_call().due_at) == ("waiting", T0 + timedelta(seconds=60))


def test_loops_of_calls_without_a_wait_are_refused(crm: Calling) -> None:
    steps = [ask(next="again"), ask(id="again", next="ask"), *welcome()["steps"][3:4]]
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(steps=steps))
    assert "loop" in {problem.code for problem in refused.value.problems}


def test_a_worker_that_died_after_the_call_has_it_made_again_by_the_same_key(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.settle", dies)
        crm.call()
    assert (crm.the_call().state, len(crm.system.received)) == ("calling", 1)
    crm.pass_time(seconds=69)
    assert len(crm.system.received) == 1
    crm.pass_time(seconds=1)
    first, second = crm.system.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert (crm.where(), crm.the_call().crashes, crm.the_call().attempts) == ("done", 1, 1)


def dies(*_args: Any) -> None:
    raise RuntimeError("as a worker that is gone")


def test_whoever_dies_over_a_call_five_times_leaves_it_failed(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking(within="P1D"))
    Call.objects.update(state="calling", crashes=4, lease_token=1)
    crm.call()
    assert (crm.the_call().error, crm.where(), crm.system.received) == ("crashed", "lost", [])


def test_a_lease_that_is_lost_writes_nothing(crm: Calling) -> None:
    """Two workers: the first one's lease ran out, and its reply comes after the second has the call."""
    crm.system.answer()
    crm.begin(asking())
    real = settle.settle

    def after_another_took_it(*args: Any) -> Any:
        claim(crm.connector.pk, crm.stage.now + timedelta(minutes=5), 1)
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.settle", after_another_took_it)
        crm.call()
    assert (crm.the_call().state, crm.where()) == ("calling", "ask")


def enter_many(crm: Calling, key: str, many: int) -> None:
    for n in range(many):
        crm.stage.know(f"{key}{n}")
        crm.stage.happen("customer.signed_up", f"{key}{n}")


def test_no_more_is_asked_at_once_than_the_connector_allows(crm: Calling) -> None:
    crm.connector.concurrency = 2
    crm.connector.save()
    at_once, most = [0], [0]

    def takes_its_time(handler: web_server.Handler) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.1)
        at_once[0] -= 1
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    crm.system.answers = [takes_its_time]
    crm.stage.publish(asking())
    enter_many(crm, "u", 6)
    crm.call()
    assert (most[0], Call.objects.filter(state="answered").count()) == (2, 6)


def test_a_slow_system_holds_up_no_other(crm: Calling, settings: Any) -> None:
    crm.system.answers = [web_server.hangs]
    crm.stage.publish(asking(time_out="PT1S"), "slow")
    with other_side(crm.stage, settings, key="quick") as quick:
        settings.TRILHA_CALL_HOSTS = ["127.0.0.1"]
        at: list[float] = []

        def notes(handler: web_server.Handler) -> None:
            at.append(time.monotonic())
            handler.send_response(200)
            handler.send_header("content-length", "0")
            handler.end_headers()

        quick.system.answers = [notes]
        crm.stage.publish(asking(connector="quick"), "quick")
        enter_many(crm, "u", 3)
        began = time.monotonic()
        crm.call()
        took = time.monotonic() - began
    assert sorted(Call.objects.values_list("state", "error")) == [("answered", "")] * 3 + [("failed", "timeout")] * 3
    assert took >= 1
    assert max(at) - began < 0.9


def test_who_is_moved_to_a_step_that_asks_has_it_asked_there(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking())
    plan = [PlanRow(version=1, step="ask", then="move", to="ask")]
    publish(crm.stage.journeys["welcome"], asking(path="/other"), by=None, now=crm.stage.now, plan=plan)
    crm.stage.run()
    crm.call()
    assert [one.path for one in crm.system.received] == ["/api/other"]
    assert (list(Call.objects.order_by("visit").values_list("visit", "state")), crm.where()) == (
        [(1, "left"), (2, "answered")],
        "done",
    )


def test_an_unknown_connector_cannot_be_published(crm: Calling) -> None:
    for name in ("mail", "none"):
        with pytest.raises(InvalidDefinition) as refused:
            crm.stage.publish(asking(connector=name), key="other")
        assert [(one.code, one.pointer) for one in refused.value.problems] == [
            ("unknown_connector", "/steps/0/connector")
        ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"path": "score"}, ("path_invalid", "/steps/0/path")),
        ({"path": "/a/../b"}, ("path_invalid", "/steps/0/path")),
        ({"path": "/a?b=1"}, ("path_invalid", "/steps/0/path")),
        ({"path": "//evil.example/"}, ("path_invalid", "/steps/0/path")),
        ({"path": "/a/%2e%2e"}, ("path_invalid", "/steps/0/path")),
        ({"path": "/{id}"}, ("path_unclear", "/steps/0/path")),
        ({"data": [{"name": "id", "place": "path", "value": 1}]}, ("path_unclear", "/steps/0/path")),
        ({"data": [{"name": "a"}]}, ("value_unclear", "/steps/0/data/0/value")),
        ({"data": [{"name": "a", "value": 1, "trait": "b"}]}, ("value_unclear", "/steps/0/data/0/value")),
        ({"data": [{"name": "a", "value": {}}]}, ("value_not_allowed", "/steps/0/data/0/value")),
        ({"data": [{"name": "a b", "value": 1}]}, ("name_invalid", "/steps/0/data/0/name")),
        (
            {"data": [{"name": "a", "value": 1}, {"name": "a.b", "value": 1}]},
            ("duplicate_name", "/steps/0/data/1/name"),
        ),
        ({"data": [{"name": "Host", "place": "header", "value": "x"}]}, ("header_not_ours", "/steps/0/data/0/name")),
        ({"data": [{"name": "a", "value": 1}], "method": "GET"}, ("body_not_allowed", "/steps/0/data/0/place")),
        ({"data": [{"name": "a", "variable": "x"}]}, ("unknown_variable", "/steps/0/data/0/variable")),
        ({"reply": [{"variable": "x", "pointer": "/a"}]}, ("unknown_variable", "/steps/0/reply/0/variable")),
        ({"reply": [{"variable": "x", "pointer": "a"}]}, ("pointer_invalid", "/steps/0/reply/0/pointer")),
        (
            {"reply": [{"variable": "x", "pointer": "/a"}, {"variable": "x", "pointer": "/b"}]},
            ("duplicate_variable", "/steps/0/reply/1/variable"),
        ),
        ({"data": [{"name": f"n{n}", "value": n} for n in range(51)]}, ("data_count", "/steps/0/data")),
        ({"reply": [{"variable": f"x{n}", "pointer": "/a"} for n in range(21)]}, ("reply_count", "/steps/0/reply")),
        ({"time_out": "PT11S"}, ("duration", "/steps/0/time_out")),
        ({"time_out": "PT10S", "within": "PT5S"}, ("duration", "/steps/0/within")),
        ({"retry": [{"errors": ["odd"]}]}, ("unknown_error", "/steps/0/retry/0/errors/0")),
        ({"catch": [{"errors": ["all"], "next": "nobody"}]}, ("unknown_step", "/steps/0")),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    document = asking(**{"catch": []} | changes)
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    assert problem in [(one.code, one.pointer) for one in refused.value.problems]


def test_neither_another_database_nor_another_moment_has_the_same_key() -> None:
    ana, bia = uuid4(), uuid4()
    keys = {idempotency_key(one, 7, 1, at) for one in (ana, bia) for at in (T0, T0 + timedelta(microseconds=1))}
    assert len(keys) == 4
    assert idempotency_key(ana, 7, 1, T0.astimezone(ZoneInfo("America/Sao_Paulo"))) in keys


def test_who_is_moved_between_the_reply_and_the_next_move_is_asked_anew_within_the_old_time(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking())
    crm.stage.now += timedelta(minutes=10)
    call_due(lambda: crm.stage.now)
    plan = [PlanRow(version=1, step="ask", then="move", to="ask")]
    publish(crm.stage.journeys["welcome"], asking(path="/other", within="PT2H"), by=None, now=crm.stage.now, plan=plan)
    settle_changeovers(crm.stage.now)
    assert (crm.where(), crm.the_run().due_at) == ("ask", T0 + timedelta(hours=2))
    crm.stage.run()
    crm.call()
    assert [one.path for one in crm.system.received] == ["/api/score", "/api/other"]
    assert crm.where() == "done"


def test_a_call_that_cannot_be_begun_holds_up_no_other(crm: Calling) -> None:
    crm.system.answer()
    crm.stage.publish(asking())
    enter_many(crm, "u", 3)
    broken, real = Call.objects.order_by("id")[0].pk, settle.step_of

    def broken_once(call: Claimed) -> Any:
        return dies() if call.id == broken else real(call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.step_of", broken_once)
        crm.call()
    assert list(Call.objects.order_by("id").values_list("state", flat=True)) == ["calling", "answered", "answered"]
    crm.pass_time(seconds=70)
    assert set(Call.objects.values_list("state", "crashes")) == {("answered", 0), ("answered", 1)}


def test_a_connector_that_cannot_be_read_costs_no_other_its_turn(crm: Calling, settings: Any) -> None:
    """Whatever its settings make of whoever reads them, and whichever comes first in a round."""
    crm.system.answer()
    crm.stage.publish(asking(within="P1D"))
    with other_side(crm.stage, settings, key="odd") as odd:
        settings.TRILHA_CALL_HOSTS = ["127.0.0.1"]
        odd.system.answer()
        crm.stage.publish(asking(connector="odd", within="P1D"), "odd")
        enter_many(crm, "u", 3)
        due, real = [(one.connector.pk, 4) for one in (odd, crm)], build

        def odd_raises(*args: Any) -> Any:
            return dies() if args[1]["base_url"].startswith(odd.system.url) else real(*args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("journeys.engine.calls.due.sample", lambda *_args: due)
            patch.setattr("journeys.engine.calls.due.build", odd_raises)
            crm.call()
        by_connector = Call.objects.order_by("connector_id", "id").values_list("connector_id", "state", "due_at")
        assert {state for id_, state, _at in by_connector if id_ == crm.connector.pk} == {"answered"}
        # Nobody died over them: they rest, as with a connector that is off.
        resting = {(state, at) for id_, state, at in by_connector if id_ == odd.connector.pk}
        assert resting == {("waiting", T0 + timedelta(seconds=60))}
        crm.pass_time(seconds=60)
        assert len(odd.system.received) == 3
    assert set(Call.objects.values_list("state", "crashes")) == {("answered", 0)}


def test_what_fails_for_one_connector_is_not_held_for_the_rest_of_the_round(crm: Calling) -> None:
    crm.system.answer()
    crm.stage.publish(asking())
    enter_many(crm, "u", 2)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as pool, raw_cursor() as cursor:
        patch.setattr("journeys.engine.calls.due.not_permitted", dies)
        before = cursor.execute(locks).fetchone()
        assert _Round(lambda: crm.stage.now, pool).start_due() == 0
        assert cursor.execute(locks).fetchone() == before
    assert set(Call.objects.values_list("state", flat=True)) == {"calling"}
    crm.pass_time(seconds=70)
    assert set(Call.objects.values_list("state", flat=True)) == {"answered"}


def test_what_is_in_hand_is_settled_even_where_the_next_cannot_be_claimed(crm: Calling) -> None:
    crm.stage.publish(asking())
    enter_many(crm, "u", 1)
    real, claimed = claim, list[Any]()

    def only_once(*args: Any) -> Any:
        claimed.append(args)
        return dies() if len(claimed) > 1 else real(*args)

    def takes_its_time(handler: web_server.Handler) -> None:
        time.sleep(0.3)
        handler.send_response(204)
        handler.end_headers()

    crm.system.answers = [takes_its_time]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.claim", only_once)
        patch.setattr("journeys.engine.calls.due.due_connectors", lambda _now: [(crm.connector.pk, 2)])
        call_due(lambda: crm.stage.now)
    assert crm.the_call().state == "answered"


def test_why_tells_how_it_went(crm: Calling) -> None:
    crm.system.answer(404)
    crm.begin(asking())
    crm.call()
    _way, moves = explain_run(crm.the_run())
    assert moves[1].text == (
        "At “ask” the other system “crm” was asked, which ended in “status_404”: branch 1 of what is done about errors "
        "was taken."
    )
