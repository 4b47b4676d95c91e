"""What carries the calls that anymail makes with requests: our own lines, so that they go only where calls may go, end
by a deadline, follow no redirect and read no more than they must."""

import http.client
import io
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from channels.providers.http import Lines
from channels.web import Reply, Request

# What the line says itself.
_OF_THE_LINE: Final = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})


class Carrier(BaseAdapter):
    """Raises DeliveryError where no reply came. `deadline` is that of the message in hand."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self.deadline = 0.0

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        asked = request_of(request)
        return response_of(request, self._lines.call(asked, self.deadline))

    def close(self) -> None:
        """The lines are closed by whoever opened them."""


class CarriedSession(requests.Session):
    """Knows no way but the carrier, and nothing of proxies and passwords that the machine may have."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__()
        self.trust_env = False
        self.headers = CaseInsensitiveDict()
        self.adapters.clear()
        self.mount("http://", carrier)
        self.mount("https://", carrier)

    def get_redirect_target(self, _response: Any) -> None:
        return None


def request_of(prepared: requests.PreparedRequest) -> Request:
    body = prepared.body or b""
    said = [(name, _text(value)) for name, value in prepared.headers.items() if name.lower() not in _OF_THE_LINE]
    return Request(
        prepared.method or "POST",
        prepared.url or "",
        tuple(said),
        body.encode() if isinstance(body, str) else bytes(body),
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def response_of(prepared: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.reason = http.client.responses.get(reply.status, "")
    response.headers = CaseInsensitiveDict(reply.headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url, response.request = prepared.url or "", prepared
    response.raw = io.BytesIO(reply.body)
    return response


def reply_of(response: requests.Response) -> Reply:
    return Reply(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content
    )
