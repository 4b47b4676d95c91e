"""Log lines as JSON objects that carry no personal data."""

import logging
import traceback
from datetime import UTC, datetime

import orjson

# Their arguments are addresses with tokens, SQL parameters and texts of errors: only the template is kept.
TEMPLATE_ONLY = ("django.", "celery.app.trace")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        bare = record.name.startswith(TEMPLATE_ONLY)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": str(record.msg) if bare else record.getMessage(),
        }
        if status := getattr(record, "status_code", None):
            line["status"] = status
        if record.exc_info and record.exc_info[0]:
            # The text of an exception may quote a row, so its kind and place must do.
            line["exception"] = record.exc_info[0].__qualname__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
        return orjson.dumps(line, default=str).decode()
