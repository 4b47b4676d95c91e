"""What consent keeps of people: the ledger with its evidence, what waits to be applied, and suppressions."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.models import (
    Confirmation,
    ConsentEntry,
    ConsentEvidence,
    ConsentHead,
    ConsentItem,
    Erasure,
    Pause,
    Preference,
    PrivacyArchive,
    PrivacyRequest,
    PrivacyStep,
    Restriction,
    Suppression,
)
from consent.privacy.suppress import suppress
from customers import erased
from customers.privacy.stores import KEEP, Basis, Rank, Store, Table
from customers.privacy.subject import Mentions, Subject

_ENTRIES: Final = "(t.profile_id = ANY(%(profiles)s) OR t.address_id = ANY(%(addresses)s))"
_PURPOSE: Final = "(SELECT p.name FROM consent_purpose p WHERE p.id = t.purpose_id)"
_BRAND: Final = "(SELECT b.name FROM customers_brand b WHERE b.id = t.brand_id)"
_ADDRESS: Final = "(SELECT a.value FROM customers_address a WHERE a.id = t.address_id AND a.channel <> 'person')"

_ASKED: Final = "t.digests && %(digests)s::varchar[]"
_OF_ASKED: Final = f"t.request_id IN (SELECT r.id FROM consent_privacyrequest r WHERE {_ASKED.replace('t.', 'r.')})"

# A consent may name another address than those its person was ever seen with.
_SURELY: Final = "FROM consent_consententry e WHERE e.address_id = a.id AND e.method <> 'claim'"
MENTIONS: Final = Mentions(
    theirs="SELECT address_id FROM consent_consententry WHERE profile_id = ANY(%(profiles)s)"
    " UNION ALL SELECT address_id FROM consent_queue WHERE profile_id = ANY(%(profiles)s)",
    # Of the erased nothing counts any more.
    others=f"""EXISTS (
        SELECT 1 FROM consent_consententry e JOIN customers_profile p ON p.id = e.profile_id
        WHERE e.address_id = a.id AND NOT e.profile_id = ANY(%(profiles)s) AND (
            e.method <> 'claim' OR NOT EXISTS (SELECT 1 {_SURELY} AND e.profile_id = ANY(%(profiles)s))
        )
    )""",
)


def remove_files(subject: Subject, now: datetime) -> int:
    """Take away the files asked for under a name of several as well: they tell of whoever the name led to."""
    digests = [erased.digest(*one[:3]).hex() for one in subject.shared_names]
    files = PrivacyArchive.objects.filter(request__digests__overlap=digests, removed_at=None)
    return files.update(data=b"", removed_at=subject.at or now)


STORES: Final = (
    Store(
        "consent",
        _("consent ledger"),
        _("Proof of what somebody agreed to or refused, and in which words they were asked."),
        Basis.DUTY,
        Rank.CONSENT,
        (
            Table(ConsentItem, "t.profile_id = ANY(%(profiles)s) OR t.address_id = ANY(%(addresses)s)"),
            Table(
                ConsentEvidence,
                f"t.entry_id IN (SELECT e.id FROM consent_consententry e WHERE {_ENTRIES.replace('t.', 'e.')})",
                # In one statement, so that none is missing without this for as much as a moment.
                remains="INSERT INTO consent_erasedevidence (entry_id, erased_at)"
                " SELECT entry_id, %(at)s FROM gone ON CONFLICT DO NOTHING",
            ),
            Table(
                ConsentEntry,
                _ENTRIES,
                {
                    "purpose": _PURPOSE,
                    "state": "t.state",
                    "method": "t.method",
                    "address": _ADDRESS,
                    "occurred_at": "t.occurred_at",
                    "recorded_at": "t.recorded_at",
                    "valid_until": "t.valid_until",
                    "legal_basis": "t.legal_basis",
                    "language": "t.language",
                    "collector": "coalesce((SELECT v.fields ->> 'collector' FROM consent_consentevidence v"
                    " WHERE v.entry_id = t.id), t.collector)",
                    "notice": "(SELECT n.name || ' v' || v.number FROM consent_noticeversion v"
                    " JOIN consent_notice n ON n.id = v.notice_id WHERE v.id = t.notice_version_id)",
                    "evidence": "(SELECT v.fields FROM consent_consentevidence v WHERE v.entry_id = t.id)",
                },
                KEEP,
            ),
            Table(Confirmation, _ENTRIES, {"purpose": _PURPOSE, "asked_at": "t.asked_at", "outcome": "t.outcome"}),
            Table(
                ConsentHead,
                _ENTRIES,
                {
                    "purpose": _PURPOSE,
                    "state": "t.state",
                    "effective_at": "t.effective_at",
                    "valid_until": "t.valid_until",
                },
                KEEP,
            ),
        ),
        kept_words=_("without an end: it is the proof"),
        note=_("Evidence goes; the sealed entry stays, which names nobody, and the chain still verifies."),
    ),
    Store(
        "preferences",
        _("pauses and preferences"),
        _("How often, in which language and when somebody wants to be written to."),
        Basis.CONSENT,
        Rank.CONSENT,
        (
            Table(
                Pause,
                "t.address_id = ANY(%(addresses)s)",
                {
                    "brand": _BRAND,
                    "address": _ADDRESS,
                    "since": "t.since",
                    "until": "t.until",
                    "ended_at": "t.ended_at",
                },
            ),
            Table(
                Preference,
                "t.address_id = ANY(%(addresses)s)",
                {
                    "brand": _BRAND,
                    "address": _ADDRESS,
                    "language": "t.language",
                    "every_days": "t.every_days",
                    "untracked": "t.is_untracked",
                },
            ),
        ),
        kept_words=_("as long as the address is known"),
    ),
    Store(
        "suppressions",
        _("suppressions"),
        _("That an address is never written to again."),
        Basis.DUTY,
        Rank.CONSENT,
        (
            Table(
                Suppression,
                "t.address_id = ANY(%(addresses)s)",
                {
                    "reason": "t.reason",
                    "address": _ADDRESS,
                    "created_at": "t.created_at",
                    "lifted_at": "t.lifted_at",
                },
                KEEP,
            ),
        ),
        kept_words=_("without an end: whoever said no stays so"),
        note=_("The address itself goes; a keyed hash of it stays, by which it is known again."),
        act=suppress,
    ),
    Store(
        "requests",
        _("privacy requests"),
        _("Proof of what somebody asked of us by law, and that it was done in time."),
        Basis.DUTY,
        Rank.CONSENT,
        (
            # First: an export that is under way looks, before it writes its file, whether the names are there still.
            Table(
                PrivacyRequest,
                _ASKED,
                {
                    "kind": "t.kind",
                    "law": "t.law",
                    "channel": "t.channel",
                    "state": "t.state",
                    "asked_on": "t.asked_on",
                    "opened_at": "t.opened_at",
                },
                {"subject": "'[]'::jsonb"},
            ),
            Table(
                PrivacyStep,
                _OF_ASKED,
                {"at": "t.at", "state": "t.state", "note": "t.note"},
                {"note": "''"},
            ),
            Table(
                PrivacyArchive,
                _OF_ASKED,
                {"made_at": "t.made_at", "expires_at": "t.expires_at", "downloads": "t.downloads"},
                {"data": "''::bytea", "removed_at": "coalesce(t.removed_at, %(at)s)"},
            ),
            Table(Restriction, "t.profile_id = ANY(%(profiles)s)", {"since": "t.since", "lifted_at": "t.lifted_at"}),
            # One that is under way needs it to its end, and empties it then.
            Table(Erasure, f"t.finished_at IS NOT NULL AND {_OF_ASKED}", {}, {"subject": "''::bytea"}),
        ),
        kept_words=_("without an end; files of what is held as long as the installation says"),
        note=_("What was asked, when it was answered and by whom stays; names, notes and files go."),
        act=remove_files,
    ),
)
