"""The plain admin of consent: purposes, notices and suppressions by hand; the ledger to be read."""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from consent.admin import anchors as anchors
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
    State,
    Suppression,
)
from consent.permission import lock_address
from consent.verify.consents import first_broken
from customers import clock
from customers.admin.base import (
    AnyAdmin,
    AnyStacked,
    AnyTabular,
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
from customers.admin.show import Tone, badge, flag, state, when
from customers.visibility import beside, sight_of

# As much of a text as a line holds.
_READ: Final = 120
_KINDS: Final[dict[str, Tone]] = {
    Purpose.Kind.MARKETING: "info",
    Purpose.Kind.SERVICE: "good",
    Purpose.Kind.LEGAL: "",
}
_STATES: Final[dict[str, Tone]] = {
    **dict.fromkeys(State.permitting(), "good"),
    **dict.fromkeys(State.opposing(), "bad"),
    **dict.fromkeys(State.undecided(), "info"),
    State.EXPIRED: "warn",
}
_PROFILE = link("profile_id", "customers_profile", _("profile"))


@admin.register(Purpose)
class PurposeAdmin(Kept):
    list_display = ("name", "key", state("kind", _KINDS, _("kind")), "brand", "description")
    list_filter = ("brand", "kind")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    when_empty = _("A purpose is what people are written to for; a journey names one, and asks its permission.")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "key", "brand", "kind", "description"),
                "description": _(
                    "Marketing needs a grant. Service is allowed until it is withdrawn. Legal is owed, whatever was "
                    "withdrawn."
                ),
            },
        ),
    )
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}


class NoticeVersionInline(ReadOnly, AnyTabular):
    """The editions so far; each has a page of its own."""

    model = NoticeVersion
    fields = ("number", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(Notice)
class NoticeAdmin(Kept):
    list_display = ("name", "key", "brand", "editions")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    inlines = (NoticeVersionInline,)
    when_empty = _("A notice is the words people read when they are asked. Each edition is kept for ever.")
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        rows: QuerySet[Notice] = super().get_queryset(request)
        return rows.prefetch_related("versions__texts")

    def get_inlines(self, request: HttpRequest, obj: Notice | None) -> Any:
        return self.inlines if obj is not None else ()

    @admin.display(description=_("latest version"))
    def editions(self, notice: Notice) -> SafeString:
        latest = max(notice.versions.all(), key=lambda version: version.number, default=None)
        if latest is None:
            return badge(_("none"), "warn")
        return badge(f"v{latest.number} · {', '.join(text.locale for text in latest.texts.all())}", "good")


class NoticeTextInline(AnyStacked):
    model = NoticeText
    extra = 2
    min_num = 1
    validate_min = True


@admin.register(NoticeVersion)
class NoticeVersionAdmin(Versioned):
    """People agreed to these words: new words are a new version."""

    parent = "notice"
    list_display = ("__str__", "notice", when("created_at", _("created")))
    list_filter = ("notice__brand",)
    list_select_related = ("notice",)
    search_fields = ("notice__name", "notice__key")
    search_help_text = _("A part of the notice’s name or key.")
    autocomplete_fields = ("notice",)
    inlines = (NoticeTextInline,)


@admin.register(NoticeText)
class NoticeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its version; here to be found."""

    list_display = ("version", "locale", "beginning")
    list_filter = ("locale",)
    list_select_related = ("version__notice",)
    search_fields = ("version__notice__name", "text")
    search_help_text = _("A part of the notice’s name or of the text.")

    @admin.display(description=_("text"))
    def beginning(self, text: NoticeText) -> str:
        return Truncator(text.text).chars(_READ)


@admin.register(Suppression)
class SuppressionAdmin(ExactSearch, Kept):
    """Added by hand for whoever asked by another way; lifted, never deleted."""

    list_display = (
        "address",
        "brand",
        state("reason", {}, _("reason")),
        when("created_at", _("since")),
        flag("lifted_at", (_("lifted"), "good"), (_("in force"), "warn")),
    )
    when_empty = _("No address is suppressed. Bounces, complaints and STOP replies come here by themselves.")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter), "brand")
    list_select_related = ("address", "brand")
    search_fields = ("address__value", "address__id")
    search_help_text = _("A whole address.")
    show_full_result_count = False
    fields = ("address", "brand")
    autocomplete_fields = ("address", "brand")
    readonly_fields = ("reason", "created_at", "lifted_at")
    actions = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("consent.change_suppression"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "brand" in form.base_fields:
            # For every brand at once speaks only who sees every brand.
            form.base_fields["brand"].required = not sight_of(request.user).everything
        return form

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
        state("state", _STATES, _("state")),
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


@admin.register(ConsentHead)
class ConsentHeadAdmin(Facts):
    list_display = (
        "address",
        "purpose",
        state("state", _STATES, _("state")),
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
