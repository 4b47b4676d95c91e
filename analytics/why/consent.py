"""The proof of one consent, as the ledger holds it."""

from django.utils.translation import gettext as _

from analytics.why.explanation import Fact, Part, Text, facts
from analytics.why.records import Proofs
from consent.models import ConsentEntry
from customers.personal import DOCUMENT


def proof(key: str, title: Text, entry_id: int | None, proofs: Proofs, *, none: Text) -> Part:
    """`none` is what to say where no entry of the ledger decided; what was told of an entry once is not repeated."""
    if entry_id is None:
        return Part(key, title, none)
    entry = proofs.entries.get(entry_id)
    if entry is None:
        gone = (_("Ledger entry %(id)s decided, but is no longer there.") % {"id": entry_id},)
        return Part(key, title, _("An entry of the consent ledger decided."), not_kept=gone)
    text = _("“%(purpose)s” was %(state)s: the ledger entry that decided.")
    values = {"purpose": entry.purpose.name, "state": entry.get_state_display()}
    if entry.pk in proofs.cited:
        again = _("“%(purpose)s” was %(state)s: the same ledger entry as above.")
        return Part(key, title, again % values, facts=(_named(entry),))
    proofs.cited.add(entry.pk)
    evidence = proofs.evidence.get(entry.pk)
    return Part(
        key,
        title,
        text % values,
        at=entry.effective_at,
        facts=facts(
            _named(entry),
            Fact("position", _("position in the chain"), entry.position),
            Fact("purpose", _("purpose"), entry.purpose.name),
            Fact("purpose_kind", _("kind of purpose"), entry.purpose.get_kind_display()),
            Fact("state", _("state"), entry.get_state_display()),
            Fact("method", _("method"), entry.get_method_display()),
            Fact("notice", _("notice"), str(entry.notice_version) if entry.notice_version else None),
            Fact("language", _("language shown"), entry.language),
            Fact("legal_basis", _("legal basis"), entry.legal_basis),
            Fact("jurisdiction", _("jurisdiction"), entry.jurisdiction),
            Fact("collector", _("collected by"), entry.collector),
            Fact("source", _("source"), entry.source.name if entry.source else None),
            Fact("occurred_at", _("occurred at"), entry.occurred_at),
            Fact("recorded_at", _("recorded at"), entry.recorded_at),
            Fact("valid_until", _("valid until"), entry.valid_until),
            Fact("evidence", _("evidence"), evidence, personal=DOCUMENT),
        ),
        not_kept=() if evidence is not None else (_("The evidence (page, device) was erased; the chain still holds."),),
    )


def _named(entry: ConsentEntry) -> Fact:
    return Fact("entry_id", _("ledger entry"), entry.pk, ("consent_consententry", entry.pk))
