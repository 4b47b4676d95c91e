"""The mails that arrived, as the mail server wrote them down."""

import json
from dataclasses import dataclass
from pathlib import Path

_STEPS = {
    "Welcome,": "welcome",
    "Still": "reminder",
    "Your cart": "cart",
    "Your receipt": "receipt",
    "Your trip": "letter",
    "Your gift": "gift",
}


@dataclass(frozen=True, slots=True)
class Mail:
    recipient: str
    data: str
    at: float = 0.0

    @property
    def step(self) -> str:
        """Which message step it comes from, told by its subject."""
        subject = self.header("Subject")
        return next((step for start, step in _STEPS.items() if subject.startswith(start)), "unknown")

    @property
    def is_one_click(self) -> bool:
        """Whether it can be unsubscribed from by RFC 8058."""
        link = self.header("List-Unsubscribe")
        return link.startswith("<http") and self.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"

    def header(self, name: str) -> str:
        head = self.data.partition("\r\n\r\n")[0].replace("\r\n ", " ")
        fields = (line.partition(": ") for line in head.split("\r\n"))
        return next((value for key, _colon, value in fields if key.lower() == name.lower()), "")


def read_mails(record: Path) -> list[Mail]:
    """Every mail written down whole so far."""
    if not record.exists():
        return []
    lines = record.read_text().split("\n")[:-1]
    return [Mail(entry["recipient"], entry["data"], entry.get("at", 0.0)) for entry in map(json.loads, lines)]
