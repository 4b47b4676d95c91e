"""What is known of a connector's templates, and whether one may be sent as it is written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from channels.models import Approval, ApprovalList

# What was heard longer ago than this refuses nobody: the list may have changed without us.
_GOOD_FOR: Final = timedelta(days=3)


class Fault(StrEnum):
    UNKNOWN = "unknown"
    PENDING = "pending"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"
    PLACES = "places"
    IMAGE = "image"
    HEADING = "heading"
    BUTTONS = "buttons"
    MORE = "more"

    @property
    def passes(self) -> bool:
        """By itself, after a while."""
        return self in (Fault.PAUSED, Fault.PENDING)


WORDS: Final = {
    Fault.UNKNOWN: _("the provider knows no such template in this language"),
    Fault.PENDING: _("the provider is still looking at it"),
    Fault.REJECTED: _("the provider has rejected it"),
    Fault.PAUSED: _("the provider has paused it"),
    Fault.DISABLED: _("the provider has disabled it"),
    Fault.PLACES: _("it has another number of places than are filled"),
    Fault.IMAGE: _("it is approved with a picture and has none here, or the other way round"),
    Fault.HEADING: _("it is approved with a place in its heading and none is filled here, or the other way round"),
    Fault.BUTTONS: _("its buttons have other places than are filled"),
    Fault.MORE: _("it has what cannot be filled: named places, a video or a document, a code to copy"),
}
_BY_STATE: Final[Mapping[str, Fault]] = {
    Approval.State.PENDING: Fault.PENDING,
    Approval.State.REJECTED: Fault.REJECTED,
    Approval.State.PAUSED: Fault.PAUSED,
    Approval.State.DISABLED: Fault.DISABLED,
    Approval.State.DELETED: Fault.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Book:
    """All templates of one connector, by name and language."""

    rows: Mapping[tuple[str, str], Approval]

    def fault(self, options: Mapping[str, Any], locale: str) -> Fault | None:
        """Of what a text says besides its words; None where it may go, or names no template."""
        name = str(options.get("template") or "")
        if not name:
            return None
        row = self.rows.get((name, language_of(options, locale)))
        if row is None:
            return Fault.UNKNOWN
        if (fault := _BY_STATE.get(row.state)) is not None:
            return fault
        if row.places is None:
            # Told of and never listed: what its words are is not known.
            return None
        if row.needs_more:
            return Fault.MORE
        if row.places != len(options.get("parameters") or ()):
            return Fault.PLACES
        if row.shows_image != bool(options.get("image")):
            return Fault.IMAGE
        if row.heading_places != bool(options.get("header")):
            return Fault.HEADING
        return Fault.BUTTONS if row.button_places != filled_buttons(options) else None


def filled_buttons(options: Mapping[str, Any]) -> list[int]:
    return [number for number, one in enumerate(options.get("buttons") or ()) if one]


def language_of(options: Mapping[str, Any], locale: str) -> str:
    return str(options.get("language") or locale.replace("-", "_"))


def books(connector_ids: Collection[UUID], now: datetime) -> dict[UUID, Book]:
    """Of those whose list was read whole, lately."""
    fresh = ApprovalList.objects.filter(connector_id__in=connector_ids, read_at__gt=now - _GOOD_FOR)
    ids = set(fresh.values_list("connector_id", flat=True))
    if not ids:
        return {}
    rows: dict[UUID, dict[tuple[str, str], Approval]] = {one: {} for one in ids}
    for row in Approval.objects.filter(connector_id__in=ids):
        rows[row.connector_id][row.name, row.language] = row
    return {connector_id: Book(found) for connector_id, found in rows.items()}
