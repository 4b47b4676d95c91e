"""What columns of an export are called, for people; machines read their names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

WORDS: Final[Mapping[str, "_StrOrPromise"]] = {
    "address": _("address"),
    "assurance": _("assurance"),
    "at": _("at"),
    "body": _("text"),
    "brand": _("brand"),
    "channel": _("channel"),
    "closed_at": _("closed at"),
    "code": _("code"),
    "collector": _("collected by"),
    "content": _("content"),
    "country": _("country"),
    "created_at": _("created at"),
    "detail": _("detail"),
    "downloads": _("downloads"),
    "effective_at": _("effective at"),
    "ended_at": _("ended at"),
    "entered_at": _("entered at"),
    "entry_key": _("entry key"),
    "evidence": _("evidence"),
    "expires_at": _("kept until"),
    "file": _("file"),
    "first_seen_at": _("first seen at"),
    "handed_in_at": _("handed in at"),
    "identifiers": _("identifiers"),
    "journey": _("journey"),
    "kind": _("kind"),
    "known_since": _("known since"),
    "language": _("language shown"),
    "last_ended_at": _("last ended at"),
    "last_entered_at": _("last entered at"),
    "last_seen_at": _("last seen at"),
    "law": _("law"),
    "left_at": _("until"),
    "legal_basis": _("legal basis"),
    "lifted_at": _("lifted at"),
    "locale": _("locale"),
    "made_at": _("made at"),
    "made_from": _("made from"),
    "method": _("method"),
    "move": _("move"),
    "name": _("name"),
    "note": _("note"),
    "notice": _("notice"),
    "occurred_at": _("occurred at"),
    "opened_at": _("opened at"),
    "original": _("as given"),
    "purpose": _("purpose"),
    "queue": _("queue"),
    "reason": _("reason"),
    "received_at": _("received at"),
    "recorded_at": _("recorded at"),
    "row": _("row"),
    "run": _("run"),
    "segment": _("segment"),
    "settled_at": _("sent or settled at"),
    "since": _("since"),
    "source": _("source"),
    "state": _("state"),
    "subject": _("subject"),
    "traits": _("traits"),
    "valid_from": _("valid from"),
    "valid_until": _("valid until"),
    "value": _("value"),
    "variables": _("variables"),
    "verified_at": _("verified at"),
    "was_since": _("had been with them since"),
    "webhook": _("webhook"),
    "zone": _("time zone"),
}


def word(name: str) -> "_StrOrPromise":
    return WORDS.get(name, name)
