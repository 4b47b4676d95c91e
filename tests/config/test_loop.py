"""The loop's own tools: what counts and kills must itself be right."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.loop.cast import Cast
from config.loop.checks import Check
from config.loop.killer import children_of
from config.loop.mailbox import Mail, read_mails
from config.loop.smtp_sink import SmtpSink

HEAD = "From: a@example.com\r\nSubject: Still there, Ana?\r\n"
ONE_CLICK = "List-Unsubscribe: <http://127.0.0.1/u/x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@pytest.mark.parametrize(
    ("expected", "got", "holds"),
    [(3, 3, True), (3, 4, False), (range(2, 4), 3, True), (range(2, 4), 4, False), ({}, {"x": 1}, False)],
)
def test_a_check_holds_when_what_came_is_what_was_expected(expected: object, got: object, holds: bool) -> None:
    check = Check("mails", expected, got)
    assert check.holds is holds
    assert check.row()[0] == ("  mails" if holds else "✗ mails")


def test_everybody_with_permission_is_welcomed_and_only_the_idle_are_reminded() -> None:
    mails = Cast().mails()
    steps = [step for step, _recipient in mails]
    assert (steps.count("welcome"), steps.count("reminder"), steps.count("cart")) == (950, 474, 20)


def test_a_mail_tells_its_step_and_whether_one_click_ends_it() -> None:
    mail = Mail("ana@example.com", f"{HEAD}{ONE_CLICK}\r\nSubject: of the body")
    assert (mail.step, mail.is_one_click) == ("reminder", True)
    assert not Mail("ana@example.com", f"{HEAD}\r\n{ONE_CLICK}").is_one_click


def test_a_mail_still_being_written_down_is_not_read(tmp_path: Path) -> None:
    record = tmp_path / "mails.jsonl"
    assert read_mails(record) == []
    record.write_text('{"recipient": "a@example.com", "data": "x"}\n{"recipient": "b@ex')
    assert read_mails(record) == [Mail("a@example.com", "x")]


def test_children_are_found_and_grandchildren_are_not() -> None:
    program = "import subprocess, sys; print(flush=True); subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in children_of(os.getpid())
        while not (grandchildren := children_of(child.pid)):
            time.sleep(0.01)
        assert not set(grandchildren) & set(children_of(os.getpid()))
        child.communicate(b"\n")


def test_the_sink_counts_who_left_without_a_goodbye() -> None:
    with SmtpSink() as sink:
        for farewell in (b"QUIT\r\n", b"NOOP\r\n"):
            with socket.create_connection(("127.0.0.1", sink.port)) as client:
                client.recv(100)
                client.sendall(farewell)
                client.recv(100)
        until = time.monotonic() + 5
        while sink.abandoned < 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert (sink.connections, sink.abandoned) == (2, 1)
