"""WhatsApp's message templates: how Meta lists them, and how it tells of one that changed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from channels.receipts.told import ToldTemplate

FIELDS: Final = "name,language,status,category,quality_score,rejected_reason,components,parameter_format"
AT_ONCE: Final = 100
# As it lists them, and as it tells of them.
_STATES: Final[Mapping[str, str]] = {
    "APPROVED": "approved",
    "REINSTATED": "approved",
    # Its quality is low; it goes out all the same.
    "FLAGGED": "approved",
    "UNPAUSED": "approved",
    "PENDING": "pending",
    "IN_APPEAL": "pending",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "LIMIT_EXCEEDED": "paused",
    "DISABLED": "disabled",
    "ARCHIVED": "disabled",
    "PENDING_DELETION": "deleted",
    "DELETED": "deleted",
}
_PLACE: Final = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_NOTHING: Final = frozenset({"", "NONE", "UNKNOWN"})
CHANGES: Final = frozenset(
    {"message_template_status_update", "message_template_quality_update", "template_category_update"}
)


class _Quality(msgspec.Struct):
    score: str = ""


class _Button(msgspec.Struct):
    type: str = ""
    url: str = ""


class _Component(msgspec.Struct):
    type: str = ""
    format: str = ""
    text: str = ""
    buttons: list[_Button] = []


class Listed(msgspec.Struct):
    name: str
    language: str
    status: str = ""
    category: str = ""
    quality_score: _Quality | None = None
    rejected_reason: str | None = ""
    components: list[_Component] = []
    parameter_format: str = ""

    def told(self) -> ToldTemplate:
        places, heading = self._places("BODY"), self._places("HEADER")
        buttons = [one for part in self.components if part.type.upper() == "BUTTONS" for one in part.buttons]
        return ToldTemplate(
            name=self.name,
            language=self.language,
            state=_state(self.status),
            category=self.category.lower(),
            quality=_said(self.quality_score.score if self.quality_score else ""),
            reason=_said(self.rejected_reason or ""),
            places=len(places),
            shows_image=any(
                part.type.upper() == "HEADER" and part.format.upper() == "IMAGE" for part in self.components
            ),
            heading_places=len(heading),
            button_places=tuple(number for number, one in enumerate(buttons) if _PLACE.search(one.url)),
            needs_more=any(not place.isdecimal() for place in places | heading)
            or any(map(_needs_more, self.components)),
        )

    def _places(self, kind: str) -> set[str]:
        return {place for part in self.components if part.type.upper() == kind for place in _PLACE.findall(part.text)}


class _Cursors(msgspec.Struct):
    after: str = ""


class _Paging(msgspec.Struct):
    cursors: _Cursors = msgspec.field(default_factory=_Cursors)
    # That there is one, not where it leads: addresses are ours to make.
    next: str = ""


class Page(msgspec.Struct):
    data: list[msgspec.Raw]
    paging: _Paging = msgspec.field(default_factory=_Paging)

    def told(self) -> Iterator[ToldTemplate]:
        """Each by itself: one that is odd costs itself only."""
        for raw in self.data:
            try:
                yield msgspec.json.decode(raw, type=Listed).told()
            except (msgspec.DecodeError, RecursionError):
                continue

    @property
    def after(self) -> str:
        return self.paging.cursors.after if self.paging.next else ""


class Change(msgspec.Struct):
    """Of one template; which of its fields there are depends on what is told."""

    message_template_name: str = ""
    message_template_language: str = ""
    event: str = ""
    reason: str | None = ""
    new_quality_score: str = ""
    new_category: str = ""

    def told(self) -> ToldTemplate | None:
        if not self.message_template_name or not self.message_template_language:
            return None
        return ToldTemplate(
            name=self.message_template_name,
            language=self.message_template_language,
            state=_state(self.event) if self.event else "",
            category=self.new_category.lower(),
            quality=_said(self.new_quality_score),
            reason=_said(self.reason or ""),
        )


def query(after: str) -> str:
    asked = f"?fields={FIELDS}&limit={AT_ONCE}"
    return f"{asked}&after={quote(after, safe='')}" if after else asked


def _state(said: str) -> str:
    return _STATES.get(said.upper(), "other")


def _said(word: str) -> str:
    return "" if word.upper() in _NOTHING else word.lower()


def _is_odd(url: str) -> bool:
    """Meta approves one place, at the end of an address."""
    places = _PLACE.findall(url)
    return bool(places) and (places != ["1"] or not url.rstrip().endswith("}}"))


def _needs_more(part: Any) -> bool:
    """What of it holds places that a text of ours cannot fill, or media that it cannot show."""
    kind = part.type.upper()
    if kind == "HEADER":
        return part.format.upper() not in ("IMAGE", "TEXT", "") or len(_PLACE.findall(part.text)) > 1
    if kind == "BUTTONS":
        return any(button.type.upper() == "COPY_CODE" or _is_odd(button.url) for button in part.buttons)
    return kind in ("CAROUSEL", "LIMITED_TIME_OFFER")
