"""`python -m config.embedded run -- COMMAND …`: a command with the embedded servers up."""

import os
import signal
import subprocess
import sys
from types import FrameType

from . import EmbeddedError, held, keep

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
USAGE = "usage: python -m config.embedded run -- COMMAND [ARGUMENT …]"


def main(arguments: list[str]) -> int:
    if arguments == ["keep"]:
        keep()
        return 0
    if arguments[:1] != ["run"]:
        print(USAGE, file=sys.stderr)
        return 2
    command = arguments[2:] if arguments[1:2] == ["--"] else arguments[1:]
    if not command:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return _run(command)
    except EmbeddedError as error:
        print(f"embedded services: {error}", file=sys.stderr)
        return 1


def _run(command: list[str]) -> int:
    with held() as (environment, descriptor):
        inherited = [] if descriptor is None else [descriptor]
        early = _hear()
        try:
            child = subprocess.Popen(command, env={**os.environ, **environment}, pass_fds=inherited)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127
        code = _wait(child, early)
    return code if code >= 0 else 128 - code


def _hear() -> list[int]:
    """From now on signals are noted, so that none is lost before the command can have it."""
    heard: list[int] = []
    for number in FORWARDED:
        signal.signal(number, lambda number, _frame: heard.append(number))
    return heard


def _wait(child: "subprocess.Popen[bytes]", early: list[int]) -> int:
    def forward(number: int, _frame: FrameType | None) -> None:
        # What is typed at a terminal reaches the whole group already.
        if number not in {signal.SIGINT, signal.SIGQUIT} or not _in_foreground():
            child.send_signal(number)

    for number in FORWARDED:
        signal.signal(number, forward)
    for heard in early:
        forward(heard, None)
    return child.wait()


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
