"""The partner's system: events by way of Segment's own client, unmodified."""

from types import TracebackType
from typing import Any

from segment.analytics.client import Client
from segment.analytics.request import post

from config.loop.processes import LoopError


class Partner:
    """Speaks to the loop's web server; `told` counts what must be accepted."""

    def __init__(self, url: str, write_key: str) -> None:
        self._url = url
        self._key = write_key
        self._errors: list[Exception] = []
        self._batch: list[dict[str, Any]] = []
        self.told = 0
        # Sent as soon as a batch is full or nothing has come for a moment.
        self._client = Client(
            write_key, host=url, gzip=True, upload_interval=0.05, on_error=lambda error, _batch: self._fail(error)
        )

    def __enter__(self) -> "Partner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.join()

    def identify(self, user_id: str, traits: dict[str, Any], *, accepted: bool = True, **other: Any) -> None:
        self._note(self._client.identify(user_id, traits, **other), accepted)

    def track(
        self,
        user_id: str | None,
        event: str,
        properties: dict[str, Any] | None = None,
        *,
        accepted: bool = True,
        **other: Any,
    ) -> None:
        self._note(self._client.track(user_id, event, properties, **other), accepted)

    def flush(self) -> list[dict[str, Any]]:
        """Wait until all has been answered; returns the messages as they were sent since the last time."""
        self._client.flush()
        if self._errors:
            raise LoopError(f"the door refused a batch: {self._errors[0]}")
        sent, self._batch = self._batch, []
        return sent

    def repeat(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """Send messages once more, as they were; what the door says."""
        answer: dict[str, Any] = post(self._key, self._url, gzip=True, batch=batch).json()
        return answer

    def _note(self, result: tuple[bool, dict[str, Any]], accepted: bool) -> None:
        queued, message = result
        if not queued:
            raise LoopError("the client's queue is full")
        self._batch.append(message)
        self.told += accepted

    def _fail(self, error: Exception) -> None:
        self._errors.append(error)
