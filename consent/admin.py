"""The plain admin of consent: purposes, notices and suppressions by hand; the ledger to be read."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from consent import ledger
from consent.models import (
    ConsentChain,
    ConsentEntry,
    ConsentEvidence,
    ConsentHead,
    ConsentItem,
    Notice,
    NoticeText,
    NoticeVersion,
    Purpose,
    Suppression,
)
from consent.permission import lock_address
from customers import clock
from customers.admin.base import (
    AnyAdmin,
    AnyStacked,
    ExactSearch,
    Facts,
    Kept,
    QueueRows,
    ReadOnly,
    Versioned,
    hexadecimal,
    link,
    table,
)

_PROFILE = link("profile_id", "customers_profile", _("profile"))


@admin.register(Purpose)
class PurposeAdmin(Kept):
    list_display = ("name", "key", "kind", "brand")
    list_filter = ("brand", "kind")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}


@admin.register(Notice)
class NoticeAdmin(Kept):
    list_display = ("name", "key", "brand")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}


class NoticeTextInline(AnyStacked):
    model = NoticeText
    extra = 2
    min_num = 1
    validate_min = True


@admin.register(NoticeVersion)
class NoticeVersionAdmin(Versioned):
    """People agreed to these words: new words are a new version."""

    parent = "notice"
    list_display = ("notice", "number", "created_at")
    list_filter = ("notice__brand",)
    list_select_related = ("notice",)
    search_fields = ("notice__name", "notice__key")
    autocomplete_fields = ("notice",)
    inlines = (NoticeTextInline,)


@admin.register(NoticeText)
class NoticeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale")
    list_filter = ("locale",)
    list_select_related = ("version__notice",)
    search_fields = ("version__notice__name", "text")


@admin.register(Suppression)
class SuppressionAdmin(ExactSearch, Kept):
    """Added by hand for whoever asked by another way; lifted, never deleted."""

    list_display = ("address", "brand", "reason", "created_at", "lifted_at")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter), "brand")
    list_select_related = ("address", "brand")
    search_fields = ("address__value", "address__id")
    search_help_text = _("A whole address.")
    show_full_result_count = False
    fields = ("address", "brand")
    raw_id_fields = ("address",)
    readonly_fields = ("reason", "created_at", "lifted_at")
    actions = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("consent.change_suppression"))

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        # Waits for a send in hand; none begins after the answer.
        lock_address(obj.address_id)
        obj.reason = Suppression.Reason.MANUAL
        obj.created_at = clock.utcnow()
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Lift"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        count = queryset.filter(lifted_at=None).update(lifted_at=clock.utcnow())
        text = ngettext("%(count)s suppression was lifted.", "%(count)s suppressions were lifted.", count)
        self.message_user(request, text % {"count": count})


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
            broken = ledger.verify(address_id)
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
    list_display = ("id", "address", "purpose", "state", "method", _PROFILE, "effective_at", "recorded_at")
    list_filter = ("state", "method", "purpose")
    list_select_related = ("address", "purpose")
    search_fields = ("id", "address__value", "address__id")
    readonly_fields = ("shown_evidence", "previous_hash", "own_hash")
    previous_hash = staticmethod(hexadecimal("previous", _("previous hash")))
    own_hash = staticmethod(hexadecimal("digest", _("hash")))

    @admin.display(description=_("evidence"))
    def shown_evidence(self, entry: ConsentEntry) -> SafeString | str:
        kept = ConsentEvidence.objects.filter(pk=entry.pk).values_list("fields", flat=True).first()
        return table((_("field"), _("value")), sorted((kept or {}).items()))


@admin.register(ConsentEvidence)
class ConsentEvidenceAdmin(Facts):
    list_display = (link("entry_id", "consent_consententry", _("entry")),)
    search_fields = ("entry__id",)


@admin.register(ConsentHead)
class ConsentHeadAdmin(Facts):
    list_display = ("address", "purpose", _PROFILE, "state", "method", "effective_at", "valid_until")
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
        "received_at",
    )
    search_fields = ("id", "profile_id")
