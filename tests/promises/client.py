"""A client that knows what it does not know: an answer, or none."""

import http.client
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson

_SECONDS = 30.0

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """What a refusal is called; nothing for what is none."""
        return str(self.json.get("code", "")) if self.status >= 400 else ""


class Client:
    """Posts documents with one credential; one connection a thread, kept while it lives."""

    def __init__(self, url: str, authorization: str, seconds: float = _SECONDS) -> None:
        self._host = urlsplit(url).netloc
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self._seconds = seconds
        self._own = threading.local()

    def to(self, url: str) -> "Client":
        """The same caller by another way."""
        return Client(url, self._headers["Authorization"], self._seconds)

    def post(self, path: str, document: Any, headers: Mapping[str, str] | None = None) -> Reply | None:
        """The reply; None when the connection gave out before it was there, and nobody knows what was done."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        connection = self._connection()
        try:
            connection.request("POST", path, body, {**self._headers, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, response.read(), {k.lower(): v for k, v in response.getheaders()})
        except (OSError, http.client.HTTPException):
            connection.close()
            return None

    def _connection(self) -> http.client.HTTPConnection:
        if getattr(self._own, "connection", None) is None:
            self._own.connection = http.client.HTTPConnection(self._host, timeout=self._seconds)
        connection: http.client.HTTPConnection = self._own.connection
        return connection


def basic(write_key: str) -> str:
    """What Segment's libraries send: the key as a user without a password."""
    return "Basic " + b64encode(f"{write_key}:".encode()).decode()


def in_parallel(clients: int, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """The results in the order of the items, worked on by so many clients at once."""
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(work, items))


def all_at_once(work: Callable[[_Item], _Result], items: list[_Item]) -> list[_Result]:
    """Each item in a thread of its own, none before all are ready."""
    ready = threading.Barrier(len(items))

    def one(item: _Item) -> _Result:
        ready.wait()
        return work(item)

    return in_parallel(len(items), one, items)
