"""Staff log-in: one answer to whatever is wrong, waits that grow, a second step, and sessions that end."""

import re
from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django_otp.oath import hotp

from customers import clock
from customers.log_in import back_off, sessions, two_factor
from customers.models import AuditEntry, Authenticator, LogInBackOff, RecoveryCode

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
LOG_IN, CODE, SET_UP, HOME = "/admin/login/", "/admin/login/code/", "/admin/login/set-up/", "/admin/"

pytestmark = pytest.mark.django_db


class Time:
    now = NOW

    def pass_by(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Time:
    kept = Time()
    monkeypatch.setattr(clock, "utcnow", lambda: kept.now)
    # Slow by design, and not what is tested here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return kept


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana", password=PASSWORD, is_staff=True)


def log_in(client: Client, name: str = "ana", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOG_IN, {"username": name, "password": password}, **extra)


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def set_up(user: User, at: datetime = NOW) -> list[str]:
    authenticator = two_factor.begin(user, at - timedelta(hours=1))
    codes = two_factor.confirm(user, shown(authenticator, at - timedelta(hours=1)), at - timedelta(hours=1))
    assert codes is not None
    return codes


def shown(authenticator: Authenticator, at: datetime) -> str:
    """What the app on the telephone shows; reckoned from the written secret."""
    text = two_factor.written_secret(authenticator)
    key = b32decode(text + "=" * (-len(text) % 8))
    return f"{hotp(key, int(at.timestamp()) // 30):06}"


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_password_is_enough_for_who_has_no_second_step(ana: User, client: Client) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert is_in(client)
    assert actions() == ["log_in"]


def test_leads_to_the_page_that_was_asked_for_and_to_no_other_site(ana: User, client: Client) -> None:
    form = {"username": "ana", "password": PASSWORD}
    assert client.post(f"{LOG_IN}?next=/admin/customers/brand/", form)["Location"] == "/admin/customers/brand/"
    assert Client().post(f"{LOG_IN}?next=https://evil.example/", form)["Location"] == HOME


def test_whatever_is_wrong_the_answer_is_the_same(ana: User, time: Time) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("shopper", password=PASSWORD)
    for _ in range(5):
        log_in(Client(), "nobody", "x")
    answers = {
        name: plain(log_in(Client(), name, password))
        for name, password in [
            ("ana", "wrong"), ("unknown", "wrong"), ("gone", PASSWORD), ("shopper", PASSWORD), ("nobody", "x"),
        ]
    }  # fmt: skip
    assert len(set(answers.values())) == 1
    assert "there were too many attempts" in answers["ana"]


def plain(answer: Any) -> str:
    assert answer.status_code == 200
    return re.sub(r'value="(\w{64}|ana|unknown|gone|shopper|nobody)"', "", answer.content.decode())


def test_after_five_failures_even_the_right_password_waits(ana: User, client: Client, time: Time) -> None:
    for _ in range(5):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 200
    assert not is_in(client)
    time.pass_by(seconds=16)
    assert log_in(client).status_code == 302
    assert LogInBackOff.objects.count() == 1, "only the address is remembered"


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(time: Time) -> None:
    waits = []
    for _ in range(12):
        assert back_off.begin([back_off.account("ana")], time.now)
        blocked = LogInBackOff.objects.get().blocked_until
        waits.append((blocked - time.now).total_seconds() if blocked else 0)
        time.now = blocked or time.now
    assert waits == [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900]


def test_an_address_that_tries_many_names_waits(ana: User, time: Time) -> None:
    for number in range(50):
        log_in(Client(REMOTE_ADDR="203.0.113.9"), f"name{number}", "x")
    assert log_in(Client(REMOTE_ADDR="203.0.113.9")).status_code == 200
    assert log_in(Client(REMOTE_ADDR="203.0.113.10")).status_code == 302


def test_a_caller_cannot_choose_its_address(ana: User) -> None:
    for number in range(50):
        log_in(Client(REMOTE_ADDR="203.0.113.9"), f"n{number}", "x", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert log_in(Client(REMOTE_ADDR="203.0.113.9"), HTTP_X_FORWARDED_FOR="10.9.9.9").status_code == 200


def test_names_that_were_typed_are_not_kept_readable(time: Time) -> None:
    log_in(Client(), "tr0ub4dor", "x")
    assert not any(b"tr0ub4dor" in bytes(row.digest) for row in LogInBackOff.objects.all())
    assert actions() == []


@pytest.mark.django_db(transaction=True)
def test_of_sixty_guesses_at_once_five_are_judged() -> None:
    def guess(_number: int) -> bool:
        try:
            return back_off.begin([back_off.account("ana")], NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(guess, range(60))) == 5


def test_who_has_an_app_shows_its_code(ana: User, client: Client, time: Time) -> None:
    set_up(ana)
    assert log_in(client)["Location"] == CODE
    assert not is_in(client), "half way in is not in"
    answer = client.post(CODE, {"code": shown(Authenticator.objects.get(), time.now)})
    assert answer["Location"] == HOME
    assert is_in(client)
    assert actions() == ["log_in"]


def test_a_code_works_once_and_not_for_long(ana: User, time: Time) -> None:
    set_up(ana)
    digits = shown(Authenticator.objects.get(), time.now)
    assert two_factor.verify(ana, digits, time.now) == "app"
    assert two_factor.verify(ana, digits, time.now) is None
    old = shown(Authenticator.objects.get(), time.now + timedelta(minutes=1))
    assert two_factor.verify(ana, old, time.now + timedelta(minutes=3)) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00" * 6, "💥" * 6, "9" * 40])
def test_no_other_text_is_a_code(code: str, ana: User) -> None:
    set_up(ana)
    assert two_factor.verify(ana, code, NOW) is None


def test_codes_cannot_be_guessed_at_leisure(ana: User, client: Client, time: Time) -> None:
    set_up(ana)
    log_in(client)
    for _ in range(5):
        assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert client.post(CODE, {"code": shown(Authenticator.objects.get(), time.now)}).status_code == 200
    assert not is_in(client)


def test_the_first_step_is_soon_forgotten(ana: User, client: Client, time: Time) -> None:
    set_up(ana)
    log_in(client)
    time.pass_by(minutes=6)
    assert client.post(CODE, {"code": shown(Authenticator.objects.get(), time.now)})["Location"] == LOG_IN


def test_a_recovery_code_logs_in_once(ana: User, client: Client, time: Time) -> None:
    codes = set_up(ana)
    assert len(set(codes)) == 10
    log_in(client)
    assert client.post(CODE, {"code": codes[3].upper()})["Location"] == HOME
    assert two_factor.verify(ana, codes[3], NOW) is None
    assert two_factor.codes_left(ana) == 9
    assert actions() == ["recovery_code", "log_in"]


def test_neither_secret_nor_recovery_codes_are_kept_readable(ana: User) -> None:
    codes = set_up(ana)
    kept = b"".join(bytes(row) for row in RecoveryCode.objects.values_list("digest", flat=True))
    kept += bytes(Authenticator.objects.get().secret)
    assert not any(code.replace("-", "").encode() in kept for code in codes)
    assert bytes.fromhex(two_factor._secret(Authenticator.objects.get()).hex()) not in kept


def test_where_it_is_required_it_is_set_up_at_the_first_log_in(ana: User, client: Client, settings: Any) -> None:
    settings.TRILHA_REQUIRE_2FA = True
    assert log_in(client)["Location"] == SET_UP
    page = client.get(SET_UP).content.decode()
    authenticator = Authenticator.objects.get()
    assert "<svg" in page
    assert two_factor.written_secret(authenticator) in page
    assert client.post(SET_UP, {"code": "000000"}).status_code == 200
    assert not is_in(client)
    done = client.post(SET_UP, {"code": shown(authenticator, NOW)})
    assert len(re.findall(r"<code>[a-z2-7-]{19}</code>", done.content.decode())) == 10
    assert is_in(client)
    assert actions() == ["two_factor_set_up", "log_in"]


def test_half_way_in_nobody_replaces_the_app(ana: User, client: Client) -> None:
    set_up(ana)
    log_in(client)
    before = Authenticator.objects.get().pk
    assert client.get(SET_UP)["Location"] == CODE
    assert client.post("/admin/two-factor/")["Location"] == LOG_IN
    assert (Authenticator.objects.get().pk, two_factor.codes_left(ana)) == (before, 10)


def test_a_session_from_before_the_rule_ends_with_it(ana: User, client: Client, settings: Any) -> None:
    log_in(client)
    settings.TRILHA_REQUIRE_2FA = True
    assert not is_in(client)


def test_a_session_ends_when_left_alone_and_at_the_end_of_the_day(ana: User, client: Client, time: Time) -> None:
    log_in(client)
    for _ in range(13):
        time.pass_by(minutes=50)
        assert is_in(client)
    time.pass_by(minutes=61)
    assert not is_in(client)
    log_in(client)
    for _ in range(14):
        time.pass_by(minutes=50)
        assert is_in(client)
    time.pass_by(minutes=50)
    assert not is_in(client)


def test_a_new_password_ends_all_other_sessions(ana: User, client: Client) -> None:
    other = Client()
    log_in(client)
    log_in(other)
    new = {"old_password": PASSWORD, "new_password1": "another long one 77", "new_password2": "another long one 77"}
    assert client.post("/admin/password_change/", new).status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert actions() == ["log_in", "log_in", "password"]


def test_who_is_put_off_the_staff_is_out_at_once(ana: User, client: Client) -> None:
    log_in(client)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert not is_in(client)


def test_a_person_can_be_logged_out_everywhere(ana: User, client: Client, time: Time) -> None:
    other, bia = Client(), User.objects.create_user("bia", password=PASSWORD, is_staff=True)
    log_in(client)
    log_in(other, bia.username)
    assert sessions.end_all(ana, datetime.now(UTC)) == 1
    assert not is_in(client)
    assert is_in(other)
