"""The ledger, its chains, what is in force, and what waits: to be read."""

from typing import Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from consent.models import ConsentChain, ConsentEntry, ConsentEvidence, ConsentHead, ConsentItem, ErasedEvidence, State
from consent.verify.consents import first_broken
from customers.admin.base import Facts, QueueRows, hexadecimal, link, table
from customers.admin.show import Tone, state, when
from customers.visibility import beside

STATES: Final[dict[str, Tone]] = {
    **dict.fromkeys(State.permitting(), "good"),
    **dict.fromkeys(State.opposing(), "bad"),
    **dict.fromkeys(State.undecided(), "info"),
    State.EXPIRED: "warn",
}
_PROFILE = link("profile_id", "customers_profile", _("profile"))


@admin.register(ConsentChain)
class ConsentChainAdmin(Facts):
    list_display = ("address", "length", "head")
    list_select_related = ("address",)
    search_fields = ("address__value", "address__id")
    readonly_fields = ("head",)
    actions = ("verify",)
    head = staticmethod(hexadecimal("digest", _("head hash")))

    @admin.action(description=_("Verify"), permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[ConsentChain]) -> None:
        sound = 0
        for address_id in queryset.values_list("pk", flat=True):
            broken = first_broken(address_id)
            if broken is None:
                sound += 1
                continue
            text = gettext("%(address)s: entry %(position)s is not what was written.")
            values = {"address": address_id, "position": broken}
            self.message_user(request, text % values, messages.ERROR)
        text = ngettext("%(count)s chain is sound.", "%(count)s chains are sound.", sound)
        self.message_user(request, text % {"count": sound})


@admin.register(ConsentEntry)
class ConsentEntryAdmin(Facts):
    list_display = (
        "id",
        "address",
        "purpose",
        state("state", STATES, _("state")),
        "method",
        _PROFILE,
        when("effective_at", _("in effect")),
        when("recorded_at", _("recorded")),
    )
    when_empty = _("Nobody has given or refused consent yet.")
    list_filter = ("state", "method", "purpose")
    list_select_related = ("address", "purpose")
    search_fields = ("id", "address__value", "address__id")
    readonly_fields = ("shown_evidence", "previous_hash", "own_hash")
    previous_hash = staticmethod(hexadecimal("previous", _("previous hash")))
    own_hash = staticmethod(hexadecimal("digest", _("hash")))

    @admin.display(description=_("evidence"))
    def shown_evidence(self, entry: ConsentEntry) -> SafeString | str:
        kept = beside(entry, ConsentEvidence).filter(pk=entry.pk).first()
        return table((_("field"), _("value")), sorted(kept.fields.items()) if kept is not None else ())


@admin.register(ConsentEvidence)
class ConsentEvidenceAdmin(Facts):
    list_display = ("pk", link("entry_id", "consent_consententry", _("entry")))
    search_fields = ("entry__id",)


@admin.register(ErasedEvidence)
class ErasedEvidenceAdmin(Facts):
    list_display = (
        "pk",
        link("entry_id", "consent_consententry", _("entry")),
        when("erased_at", _("erased at")),
    )
    search_fields = ("entry__id",)
    when_empty = _("No erasure has taken the evidence of a consent yet.")


@admin.register(ConsentHead)
class ConsentHeadAdmin(Facts):
    list_display = (
        "address",
        "purpose",
        state("state", STATES, _("state")),
        "method",
        _PROFILE,
        when("effective_at", _("in effect")),
        "valid_until",
    )
    when_empty = _("Nobody has given or refused consent yet.")
    list_filter = ("state", "purpose")
    list_select_related = ("address", "purpose")
    search_fields = ("address__value", "address__id", "profile__id")


@admin.register(ConsentItem)
class ConsentItemAdmin(QueueRows):
    queue = "consent"
    list_display = (
        "id",
        link("address_id", "customers_address", _("address")),
        _PROFILE,
        link("event_id", "customers_event", _("event")),
        when("received_at", _("received")),
    )
    search_fields = ("id", "profile_id")
    when_empty = _("Nothing waits: every consent that was told is applied.")
