"""An SMTP server that keeps what it is given and misbehaves on demand: the oracle of the loop and the tests.

How it treats a recipient stands in the script, or after a plus in the local part: ana+drop@example.com.
"""

import argparse
import asyncio
import json
import os
import signal
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO


class Behaviour(StrEnum):
    ACCEPT = "accept"
    # 450 and 550 to the recipient, 451 and 554 to the whole message.
    LATER = "later"
    NEVER = "never"
    BUSY = "busy"
    REJECT = "reject"
    # The connection ends before the message, or after it without an answer.
    VANISH = "vanish"
    DROP = "drop"
    # No answer at all, or one that never ends.
    HANG = "hang"
    DRIP = "drip"


_RECIPIENT_REPLIES = {
    Behaviour.LATER: b"450 4.2.1 try later",
    Behaviour.NEVER: b"550 5.1.1 no such user <%b>",
}
_MESSAGE_REPLIES = {Behaviour.BUSY: b"451 4.3.0 try later", Behaviour.REJECT: b"554 5.7.1 not wanted"}
_FOREVER = 3600


@dataclass(frozen=True, slots=True)
class Received:
    """One message that came in whole; `verdict` tells what the sender was told."""

    at: float
    sender: str
    recipient: str
    verdict: Behaviour
    data: str


class SmtpSink:
    """Runs in a thread of its own; `received` grows as messages come in, whatever was answered."""

    def __init__(self, port: int = 0, record: Path | None = None, delay: float = 0) -> None:
        self.port = port
        # Real servers think before they answer a message; so many seconds does this one.
        self.delay = delay
        self.received: list[Received] = []
        self.connections = 0
        # Connections whose other end went away without a goodbye.
        self.abandoned = 0
        self.script: defaultdict[str, list[Behaviour]] = defaultdict(list)
        self._file: IO[str] | None = record.open("a") if record else None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="smtp-sink", daemon=True)

    def __enter__(self) -> "SmtpSink":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        if self._file:
            self._file.close()

    def accepted(self, recipient: str | None = None) -> list[Received]:
        """What the server took, whether or not the sender heard so."""
        refused = set(_MESSAGE_REPLIES)
        return [one for one in list(self.received) if one.verdict not in refused and recipient in (None, one.recipient)]

    def wait_for(self, count: int, seconds: float = 10) -> bool:
        """Wait until so many messages have come in."""
        until = time.monotonic() + seconds
        while len(self.received) < count and time.monotonic() < until:
            time.sleep(0.005)
        return len(self.received) >= count

    def behaviour(self, recipient: str) -> Behaviour:
        if self.script[recipient]:
            return self.script[recipient].pop(0)
        tag = recipient.partition("@")[0].rpartition("+")[2]
        return Behaviour(tag) if tag in set(Behaviour) else Behaviour.ACCEPT

    def keep(self, one: Received) -> None:
        self.received.append(one)
        if self._file:
            self._file.write(json.dumps(asdict(one)) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**22))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._wind_up(server)

    def _wind_up(self, server: asyncio.Server) -> None:
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        # Closed connections are let go of by the loop's next turn.
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            conversation = _Conversation(self, reader, writer)
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await conversation.hold()
            self.abandoned += not conversation.ended_here
        finally:
            writer.close()


class _Conversation:
    """One connection from greeting to goodbye."""

    def __init__(self, sink: SmtpSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._sender = self._recipient = ""
        self._behaviour = Behaviour.ACCEPT
        # By request or by the script.
        self.ended_here = False

    async def hold(self) -> None:
        await self._say(b"220 sink ESMTP")
        while line := await self._reader.readline():
            command, _space, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not await self._answer(command.upper(), rest):
                self.ended_here = True
                return

    async def _answer(self, command: str, rest: str) -> bool:
        """Whether the conversation goes on."""
        match command:
            case "EHLO":
                await self._say(b"250-sink\r\n250-SMTPUTF8\r\n250 8BITMIME")
            case "MAIL":
                self._sender = rest[rest.find("<") + 1 : rest.find(">")]
                await self._say(b"250 ok")
            case "RCPT":
                return await self._take_recipient(rest[rest.find("<") + 1 : rest.find(">")])
            case "DATA":
                await self._say(b"354 go on")
                return await self._take_message()
            case "QUIT":
                await self._say(b"221 bye")
                return False
            case "HELO" | "RSET" | "NOOP":
                await self._say(b"250 ok")
            case _:
                await self._say(b"502 not here")
        return True

    async def _take_recipient(self, recipient: str) -> bool:
        self._recipient = recipient
        self._behaviour = self._sink.behaviour(recipient)
        if self._behaviour == Behaviour.VANISH:
            return False
        if self._behaviour == Behaviour.DRIP:
            await self._drip()
        reply = _RECIPIENT_REPLIES.get(self._behaviour, b"250 ok")
        await self._say(reply.replace(b"%b", recipient.encode()))
        return True

    async def _drip(self) -> None:
        """A reply that is always about to come."""
        for _second in range(_FOREVER * 20):
            self._writer.write(b"2")
            await self._writer.drain()
            await asyncio.sleep(0.05)

    async def _take_message(self) -> bool:
        data = (await self._reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
        self._sink.keep(
            Received(time.time(), self._sender, self._recipient, self._behaviour, data.decode("utf-8", "replace"))
        )
        if self._behaviour == Behaviour.DROP:
            return False
        if self._behaviour == Behaviour.HANG:
            await asyncio.sleep(_FOREVER)
        await asyncio.sleep(self._sink.delay)
        await self._say(_MESSAGE_REPLIES.get(self._behaviour, b"250 taken"))
        return True

    async def _say(self, reply: bytes) -> None:
        self._writer.write(reply + b"\r\n")
        await self._writer.drain()


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep every mail that comes in.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, help="file that gets a JSON line for each message")
    parser.add_argument("--delay", type=float, default=0, help="seconds before each message is answered")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with SmtpSink(options.port, options.record, options.delay) as sink:
        print(sink.port, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
        print(json.dumps({"connections": sink.connections, "abandoned": sink.abandoned}), flush=True)


if __name__ == "__main__":
    main()
