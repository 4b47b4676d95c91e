"""Outgoing webhooks: what comes of an attempt, when the next one is, and what becomes of an endpoint that fails."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from channels.web import CallError, Reply
from channels.webhooks import claim, endpoints, replay
from channels.webhooks.claim import due_endpoints
from channels.webhooks.deliver import deliver_due
from channels.webhooks.replay import Span
from channels.webhooks.schedule import Outcome, Tried, judge, waits
from channels.webhooks.settle import Made, settle
from customers import jobs
from customers.clock import utcnow
from customers.models import AuditEntry, Event, Job
from tests.channels import web_server
from tests.channels.listener import Stage, listening, make_endpoint
from tests.channels.web_server import other_system

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    settings.WEBHOOK_DEADLINE_SECONDS = 0.5
    with listening(settings) as one:
        yield one


def judged(answer: Reply | CallError, tries: int = 0, now: datetime = T0, fraction: float = 0.0) -> Outcome:
    return judge(Tried(tries, T0), answer, ("whsec_c2VjcmV0",), now, fraction)


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    assert judged(reply(status)) == Outcome(WebhookDelivery.State.DELIVERED, "", status, tries=1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(301, location="http://169.254.169.254/"), "redirect_not_followed"),
        (reply(307), "redirect_not_followed"),
        (reply(400), "status_400"),
        (reply(500), "status_500"),
        (reply(503), "status_503"),
        (CallError("timeout", began=True), "timeout"),
        (CallError("refused_address"), "refused_address"),
        (CallError("untrusted"), "untrusted"),
    ],
)
def test_anything_else_is_a_failure_with_its_reason(answer: Reply | CallError, reason: str) -> None:
    outcome = judged(answer)
    assert (outcome.state, outcome.reason, outcome.tries) == ("waiting", reason, 1)
    assert outcome.due_at == T0 + timedelta(seconds=5)


def test_the_schedule_reaches_over_three_days_and_never_shortens_a_pause() -> None:
    assert len(waits()) == 9
    assert sum(waits(), timedelta()) >= timedelta(hours=72)
    for made, pause in enumerate(waits()):
        least, most = (judged(reply(500), made, fraction=fraction).due_at for fraction in (0.0, 0.999))
        assert least is not None
        assert most is not None
        assert least - T0 == pause
        assert pause < most - T0 < pause * 1.1
    last = judged(reply(500), 9)
    assert (last.state, last.tries, last.due_at) == ("failed", 10, None)


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        (reply(429, retry_after="120"), timedelta(seconds=120)),
        (reply(503, retry_after="7"), timedelta(seconds=7)),
        (reply(429, retry_after="Mon, 02 Mar 2026 12:10:00 GMT"), timedelta(minutes=10)),
        (reply(429, retry_after="soon"), timedelta(seconds=60)),
        (reply(429), timedelta(seconds=60)),
        (reply(429, retry_after="99999999"), timedelta(hours=24)),
    ],
)
def test_to_ask_to_be_left_alone_is_no_try(answer: Reply, rest: timedelta) -> None:
    outcome = judged(answer, 3)
    assert (outcome.state, outcome.tries, outcome.due_at, outcome.rests_until) == ("waiting", 3, T0 + rest, T0 + rest)


@pytest.mark.parametrize(
    ("told", "attempts", "is_try", "rest"),
    [
        ("0", 0, True, 5),
        ("4", 0, True, 5),
        ("5", 0, False, 5),
        ("7", 1, True, 10),
        ("10", 1, False, 10),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 3, True, 20),
        ("59", 400, True, 60),
        ("60", 400, False, 60),
    ],
)
def test_who_asks_to_be_called_again_at_once_is_left_alone_and_it_counts(
    told: str, attempts: int, is_try: bool, rest: int
) -> None:
    answer = reply(429, retry_after=told)
    outcome = judge(Tried(2, T0, attempts), answer, (), T0, 0.0)
    assert (outcome.tries, outcome.rests_until) == (2 + is_try, T0 + timedelta(seconds=rest))
    assert outcome.due_at == T0 + (waits()[2] if is_try else timedelta(seconds=rest))


def test_an_endpoint_that_is_busy_and_says_at_once_is_no_hot_loop(stage: Stage) -> None:
    stage.system.answer(429, b"", retry_after="0")
    stage.endpoint.concurrency = 1
    stage.endpoint.save()
    stage.accept(1, 2, 3)
    for _second in range(12):
        stage.deliver()
        stage.clock.on(seconds=1)
    assert len(stage.system.received) == 3
    assert {one.tries for one in stage.deliveries()} == {1}


def test_who_asks_to_be_left_alone_for_days_fails_like_others() -> None:
    outcome = judged(reply(429, retry_after="60"), 3, T0 + timedelta(days=4))
    assert (outcome.state, outcome.tries, outcome.rests_until) == ("waiting", 4, None)


def test_a_reply_is_kept_without_what_we_sign_with() -> None:
    outcome = judged(reply(500, b"<b>whsec_c2VjcmV0 or c2VjcmV0</b>\x00" + b"x" * 5_000))
    assert outcome.reply.startswith("<b>••• or •••</b>\N{REPLACEMENT CHARACTER}x")
    assert len(outcome.reply) == 2_000


def test_a_failure_is_tried_again_under_the_same_id_when_its_time_comes(stage: Stage) -> None:
    stage.system.answer(500, b"no")
    stage.accept(1)
    stage.deliver()
    assert stage.state() == ("waiting", "status_500", 1, 1)
    stage.deliver()
    assert len(stage.system.received) == 1
    stage.clock.on(seconds=6)
    stage.system.answers.clear()
    stage.system.answer(200)
    stage.deliver()
    first, second = stage.system.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert (first.body, stage.state()) == (second.body, ("delivered", "", 2, 2))
    tried = WebhookAttempt.objects.order_by("pk").values_list("status", "reason", "reply")
    assert list(tried) == [(500, "status_500", "no"), (200, "", "{}")]


def test_after_the_last_attempt_it_has_failed_and_stays_to_be_replayed(stage: Stage, settings: Any) -> None:
    settings.WEBHOOK_FAILING_HOURS = 1_000
    stage.system.answer(500)
    stage.accept(1)
    for _try in range(12):
        stage.deliver()
        stage.clock.on(hours=27)
    assert stage.state() == ("failed", "status_500", 10, 10)
    assert len(stage.system.received) == 10
    assert endpoints.again([stage.only().pk], stage.clock.now) == 1
    endpoints.switch_on(stage.again(), stage.clock.now)
    stage.system.answers.clear()
    stage.system.answer(200)
    stage.deliver()
    assert stage.state() == ("delivered", "", 1, 11)
    assert stage.only().replays == 1
    assert len({one.headers["webhook-id"] for one in stage.system.received}) == 1


def test_no_redirect_is_followed(stage: Stage) -> None:
    with other_system() as elsewhere:
        stage.system.answer(302, b"", location=elsewhere.url)
        stage.accept(1)
        stage.deliver()
        assert elsewhere.received == []
    assert stage.state()[:2] == ("waiting", "redirect_not_followed")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", ["long", "packed", "cut", "hanging", "floods", "mumbled"])
def test_a_reply_is_judged_by_its_status_whatever_its_body(stage: Stage, status: int, body: str) -> None:
    def answers(handler: Any) -> None:
        packed = "content-encoding: gzip\r\n" if body == "packed" else ""
        chunked = "transfer-encoding: chunked\r\n" if body == "mumbled" else ""
        length = "" if body in ("mumbled", "floods") else "content-length: 900000\r\n"
        handler.wfile.write(f"HTTP/1.1 {status} OK\r\n{packed}{chunked}{length}\r\nabc".encode())
        handler.close_connection = True
        try:
            if body in ("long", "floods"):
                handler.wfile.write(b"x" * 899_997)
            elif body == "hanging":
                handler.wfile.flush()
                time.sleep(0.8)
        except OSError:
            pass

    stage.system.answers.append(answers)
    stage.accept(1)
    stage.deliver()
    assert stage.state()[0] == ("delivered" if status == 200 else "waiting")
    attempt = WebhookAttempt.objects.get()
    assert attempt.status == status
    kept = {"packed": "", "mumbled": "", "cut": "abc", "hanging": "abc"}
    assert attempt.reply == kept.get(body, "abc" + "x" * 1_997)


def test_gone_switches_it_off_at_once(stage: Stage) -> None:
    stage.system.answer(410)
    stage.accept(1)
    stage.deliver()
    assert stage.state()[:2] == ("failed", "gone")
    assert (stage.again().is_active, stage.endpoint.off_reason) == (False, "gone")
    assert AuditEntry.objects.get(action="webhook_off").after == {"off_reason": "gone"}
    assert due_endpoints(stage.clock.now) == []


def test_gone_from_where_it_was_is_not_gone_from_where_it_is(stage: Stage) -> None:
    stage.system.answer(410)
    stage.accept(1)
    token, [id_], _all = claim.claim(stage.endpoint.pk, stage.clock.now, 1)
    WebhookEndpoint.objects.update(url=f"{stage.system.url}/new")
    late = Made(id_, token, judged(reply(410)), stage.clock.now, 3, f"{stage.system.url}/hooks")
    assert settle(stage.endpoint.pk, [late], stage.clock.now) == 1
    assert (stage.again().is_active, stage.state()) == (True, ("waiting", "gone", 0, 1))
    stage.deliver()
    assert (stage.again().off_reason, stage.state()[0]) == ("gone", "failed")


def announced() -> int:
    return AuditEntry.objects.filter(action="webhook_failing").count()


def test_a_delivery_that_keeps_failing_is_announced_though_others_succeed(stage: Stage) -> None:
    stage.accept(1)
    for tries in range(4):
        token, [id_], _all = claim.claim(stage.endpoint.pk, stage.clock.now, 1)
        assert announced() == 0
        fails = Made(id_, token, judged(reply(500), tries, stage.clock.now), stage.clock.now, 3)
        settle(stage.endpoint.pk, [fails], stage.clock.now)
        WebhookEndpoint.objects.update(failing_since=None)
        stage.clock.on(hours=3)
    assert (announced(), stage.again().warned_at) == (1, stage.clock.now - timedelta(hours=3))


def test_what_ends_is_announced_once_a_day_with_a_call_or_without(stage: Stage) -> None:
    stage.accept(*range(5))
    ends = Outcome(WebhookDelivery.State.FAILED, "crashed", tries=0)
    for wanted, hours in ((1, 0), (1, 1), (1, 22), (2, 2), (2, 1)):
        stage.clock.on(hours=hours)
        token, [id_], _all = claim.claim(stage.endpoint.pk, stage.clock.now, 1)
        settle(stage.endpoint.pk, [Made(id_, token, ends)], stage.clock.now)
        assert announced() == wanted


def test_secrets_that_cannot_be_read_switch_it_off_until_there_is_a_new_one(stage: Stage) -> None:
    stage.system.answer(200)
    stage.accept(1)
    WebhookEndpoint.objects.update(secrets=b"\x01\x03old" + b"x" * 40)
    stage.deliver()
    assert (stage.again().is_active, stage.endpoint.off_reason) == (False, "secrets")
    assert AuditEntry.objects.get(action="webhook_off").after == {"off_reason": "secrets"}
    endpoints.rotate(stage.endpoint, stage.clock.now)
    endpoints.switch_on(stage.again(), stage.clock.now)
    stage.deliver()
    assert stage.state()[0] == "delivered"


def test_it_is_announced_at_the_fourth_failure_and_off_after_five_days_of_nothing_but_failure(stage: Stage) -> None:
    stage.system.answer(500)
    stage.accept(1)
    for _attempt in range(3):
        stage.deliver()
        stage.clock.on(minutes=45)
    assert (stage.again().warned_at, stage.only().tries) == (None, 3)
    stage.clock.on(hours=2)
    stage.deliver()
    warned_at = stage.again().warned_at
    assert warned_at == stage.clock.now
    stage.clock.on(hours=110)
    stage.deliver()
    assert stage.again().is_active
    stage.clock.on(hours=24)
    stage.deliver()
    assert (stage.again().is_active, stage.endpoint.off_reason) == (False, "failing")
    actions = AuditEntry.objects.filter(action__startswith="webhook").order_by("pk")
    assert [one.action for one in actions] == ["webhook_failing", "webhook_off"]


def test_what_is_off_is_claimed_by_no_line_that_is_still_open(stage: Stage) -> None:
    stage.accept(1, 2)
    endpoints.switch_off(stage.endpoint, WebhookEndpoint.Off.FAILING, stage.clock.now)
    assert claim.claim(stage.endpoint.pk, stage.clock.now, 10)[1:] == ([], True)


def test_one_success_ends_the_count(stage: Stage) -> None:
    stage.system.answer(500)
    stage.accept(1)
    stage.deliver()
    assert stage.again().failing_since is not None
    stage.system.answers.clear()
    stage.system.answer(200)
    stage.accept(2)
    stage.deliver()
    assert stage.again().failing_since is None


def test_an_endpoint_that_asked_for_rest_is_left_alone_with_all_that_waits(stage: Stage) -> None:
    stage.system.answer(429, b"", retry_after="30")
    stage.endpoint.concurrency = 1
    stage.endpoint.save()
    stage.accept(1, 2, 3)
    stage.deliver()
    assert len(stage.system.received) == 1
    stage.system.answers.clear()
    stage.system.answer(200)
    stage.clock.on(seconds=29)
    stage.deliver()
    assert len(stage.system.received) == 1
    stage.clock.on(seconds=2)
    stage.deliver()
    assert len(stage.system.received) == 4
    assert {one.state for one in stage.deliveries()} == {"delivered"}


def test_an_endpoint_that_hangs_holds_up_no_other(stage: Stage, settings: Any) -> None:
    stage.system.answers.append(web_server.hangs)
    with other_system() as other:
        other.answer(200)
        url = f"http://127.0.0.1:{other.port}/"
        settings.TRILHA_CALL_HOSTS.append(f"127.0.0.1:{other.port}")
        quick, _secret = make_endpoint(stage.brand, url, stage.clock.now)
        stage.accept(*range(40))
        began = time.monotonic()
        deliver_due(stage.clock, seconds=0.4)
        assert WebhookDelivery.objects.filter(endpoint=quick, state="delivered").count() == 40
        assert time.monotonic() - began < 3
    assert not WebhookDelivery.objects.filter(endpoint=stage.endpoint, state="sending").exists()


def test_no_more_calls_are_made_at_once_than_the_endpoint_allows(stage: Stage) -> None:
    at_once, most = 0, 0

    def slowly(handler: Any) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    stage.system.answers.append(slowly)
    stage.endpoint.concurrency = 2
    stage.endpoint.save()
    stage.accept(*range(12))
    stage.deliver()
    assert ({one.state for one in stage.deliveries()}, most) == ({"delivered"}, 2)


def test_a_dead_workers_delivery_comes_again_and_five_deaths_are_enough(stage: Stage) -> None:
    stage.system.answer(200)
    stage.accept(1)
    for _death in range(6):
        claim.claim(stage.endpoint.pk, stage.clock.now, 10)
        stage.deliver()
        assert stage.state()[0] == "sending"
        stage.clock.on(seconds=80)
    stage.deliver()
    assert stage.state() == ("failed", "crashed", 0, 0)
    assert stage.system.received == []


def test_who_lost_the_lease_writes_nothing(stage: Stage) -> None:
    stage.accept(1)
    token, [id_], _all = claim.claim(stage.endpoint.pk, stage.clock.now, 1)
    stage.clock.on(seconds=80)
    claim.claim(stage.endpoint.pk, stage.clock.now, 1)
    late = Made(id_, token, judged(reply(200)), stage.clock.now, 3)
    assert settle(stage.endpoint.pk, [late], stage.clock.now) == 0
    assert (stage.state()[0], WebhookAttempt.objects.count()) == ("sending", 0)


def asked(stage: Stage, *, only_failed: bool) -> Job:
    span = Span(stage.clock.now - timedelta(hours=1), stage.clock.now + timedelta(hours=1), only_failed)
    stage.clock.on(seconds=1)
    job = replay.ask(stage.endpoint, span, stage.clock.now)
    assert replay.ask(stage.endpoint, span, stage.clock.now).pk == job.pk
    jobs.work_on(stage.clock, seconds=5)
    job.refresh_from_db()
    return job


def test_a_span_of_time_is_told_once_more_under_the_same_ids(stage: Stage) -> None:
    stage.system.answer(200)
    stage.accept(1, 2)
    stage.deliver()
    endpoints.switch_off(stage.endpoint, WebhookEndpoint.Off.BY_HAND, stage.clock.now)
    stage.accept(3)
    endpoints.switch_on(stage.endpoint, stage.clock.now)
    assert WebhookDelivery.objects.count() == 2
    job = asked(stage, only_failed=False)
    assert (job.state, job.done) == ("done", 3)
    stage.deliver()
    ids = [one.headers["webhook-id"] for one in stage.system.received]
    assert (len(ids), len(set(ids))) == (5, 3)
    assert {one.state for one in stage.deliveries()} == {"delivered"}


def test_a_long_span_is_told_in_windows_and_nothing_of_it_is_left_out_or_told_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_PIECE", 2)
    monkeypatch.setattr(replay, "_WIDEST", timedelta(milliseconds=4))
    endpoints.switch_off(stage.endpoint, WebhookEndpoint.Off.BY_HAND, stage.clock.now)
    for number in range(5):
        stage.accept(number)
    # Many at one instant.
    stage.accept(*range(10, 17))
    for number in range(20, 23):
        stage.accept(number)
    endpoints.switch_on(stage.endpoint, stage.clock.now)
    times = list(Event.objects.order_by("received_at").values_list("received_at", flat=True))
    # The first window ends where an event is.
    monkeypatch.setattr(replay, "_NARROWEST", times[2] - times[1])
    # From the second one on, to the last one, which is not of it.
    job = replay.ask(stage.endpoint, Span(times[1], times[-1]), utcnow())
    jobs.work_on(utcnow, seconds=30)
    job.refresh_from_db()
    assert times[-1] - times[1] > 4 * timedelta(milliseconds=4)
    assert (job.state, job.done, WebhookDelivery.objects.count()) == ("done", 13, 13)


def test_of_a_span_of_time_what_failed_alone_is_told_once_more(stage: Stage) -> None:
    stage.system.answer(200)
    stage.accept(1)
    stage.deliver()
    stage.accept(2)
    WebhookDelivery.objects.filter(state="waiting").update(state="failed", settled_at=stage.clock.now)
    job = asked(stage, only_failed=True)
    assert (job.state, job.done) == ("done", 1)
    stage.deliver()
    assert len(stage.system.received) == 2
