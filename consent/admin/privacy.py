"""Privacy requests: what is due first, each with its page; what was erased and handed out; and the data map."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.admin.privacy_forms import OpeningForm, local_kinds
from consent.admin.privacy_page import act, page_of, reads_everywhere
from consent.models import Erasure, PrivacyArchive, PrivacyRequest, PrivacyStep, Restriction
from consent.privacy import export, requests
from consent.privacy.due import days_left, today_there
from customers import audit, clock, personal
from customers.admin.base import ExactSearch, Facts, Kept, hexadecimal, link
from customers.admin.presented import drawn
from customers.admin.show import Tone, badge, laid_out, moment, state, when
from customers.models import ErasedAddress, Source
from customers.privacy.erase import OF_OTHERS
from customers.privacy.exceptions import EXCEPTIONS
from customers.privacy.stores import stores
from customers.retention import kinds
from customers.visibility import sees_pii

_State = PrivacyRequest.State
STATES: Final[dict[str, Tone]] = {
    _State.OPEN: "warn",
    _State.VERIFYING: "warn",
    _State.READY: "info",
    _State.WORKING: "info",
    _State.DONE: "good",
    _State.REFUSED: "",
}
OVER: Final = (_State.DONE, _State.REFUSED)
SOON: Final = timedelta(days=5)


_HASH: Final = hexadecimal("digest", _("keyed hash"))


class DueFilter(admin.SimpleListFilter):
    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("overdue", _("overdue")), ("soon", _("within five days")), ("pending", _("to be done")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = clock.utcnow()
        pending = queryset.exclude(state__in=OVER)
        if self.value() == "overdue":
            return pending.filter(due_on__lt=today_there(now))
        if self.value() == "soon":
            return pending.filter(due_on__lte=today_there(now + SOON))
        return pending if self.value() == "pending" else queryset


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ExactSearch, Kept):
    form = OpeningForm
    list_display = (
        "who",
        "kind",
        "law",
        state("state", STATES, _("state")),
        "due",
        "brand",
        "asked_on",
        when("opened_at", _("taken down")),
    )
    list_filter = (DueFilter, "state", "kind", "law", "brand")
    list_select_related = ("brand",)
    list_before_template = "admin/consent/data_map_link.html"
    search_fields = ("id",)
    search_help_text = _("The id of a request.")
    show_full_result_count = False
    list_per_page = 50
    when_empty = _("Nobody has asked for anything by law yet. Take a request down when somebody does: its clock runs.")
    fields = (
        "brand", "kind", "law", "channel", "asked_on", "identifier_kind", "source", "identifier", "assurance", "note",
    )  # fmt: skip

    @property
    def conditional_fields(self) -> dict[str, str]:
        """Asked for where an id is one system's own; without scripts, always."""
        local = local_kinds(clock.utcnow())
        return {"source": " || ".join(f"identifier_kind == '{key}'" for key in local) or "false"}

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        if db_field.name != "source":
            return super().get_field_queryset(db, db_field, request)
        return Source.objects.exclude(key=Source.RESERVED_KEY).select_related("brand").order_by("brand__name", "name")

    def get_ordering(self, request: HttpRequest) -> Any:
        """What is to be done before what is done, and of that what is due first."""
        over = Case(When(state__in=OVER, then=Value(1)), default=Value(0), output_field=IntegerField())
        return (over.asc(), "due_on", "opened_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("who asks"))
    def who(self, row: PrivacyRequest) -> str:
        """Masked where personal data is, and gone once it was erased."""
        names = [str(one[3]) for one in row.subject if isinstance(one, list) and len(one) == 4]
        if not names:
            return personal.MASK if row.subject else gettext("erased")
        return names[0]

    @admin.display(description=_("due on"), ordering="due_on")
    def due(self, row: PrivacyRequest) -> SafeString | str:
        if row.is_over:
            return moment(row.ended_at) if row.ended_at else ""
        days = days_left(row, clock.utcnow())
        tone: Tone = "bad" if days < 0 else "warn" if days <= SOON.days else ""
        return badge(date_format(row.due_on, "SHORT_DATE_FORMAT"), tone)

    def get_urls(self) -> Any:
        wrap, name = self.admin_site.admin_view, "consent_privacyrequest"
        return [
            path("data-map/", wrap(self.data_map), name=f"{name}_data_map"),
            path("<uuid:pk>/act/", wrap(self.act_view), name=f"{name}_act"),
            path("<uuid:pk>/file/", wrap(self.file_view), name=f"{name}_file"),
            path("<uuid:pk>/certificate/", wrap(self.certificate_view), name=f"{name}_certificate"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: PrivacyRequest, form: Any, change: bool) -> None:
        """Taken down with its clock and its first step, in place of a mere row."""
        made = requests.take_down(form.asking(), clock.utcnow(), request.user)
        obj.__dict__.update(made.__dict__)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """It has told the audit trail itself."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:consent_privacyrequest_change", args=[obj.pk]))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        row = self.get_object(request, object_id)
        if request.method == "POST" or not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = page_of(row, request, clock.utcnow())
        return drawn(self, request, row, "admin/consent/privacy_request.html", str(row), **context)

    def act_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        row = self._known(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        if not may_work(request, row):
            self.note_refusal(request, [pk])
            raise PermissionDenied
        told, level = act(row, request, clock.utcnow())
        self.message_user(request, told, level)
        return HttpResponseRedirect(reverse("admin:consent_privacyrequest_change", args=[pk]))

    def file_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """What is held of the person; every download is on the trail."""
        row = self._known(request, pk)
        may = request.user.has_perm("consent.download_privacyrequest") and sees_pii(request.user, row.brand_id)
        archive = PrivacyArchive.objects.filter(request=row).first()
        if not may or personal.is_masked(row) or not reads_everywhere(request, row):
            self.note_refusal(request, [pk])
            raise PermissionDenied
        try:
            if archive is None:
                raise export.NotThere
            data = export.opened(archive, clock.utcnow())
        except export.NotThere:
            self.message_user(request, gettext("There is no file any more: its time was over."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:consent_privacyrequest_change", args=[pk]))
        PrivacyArchive.objects.filter(pk=archive.pk).update(downloads=F("downloads") + 1)
        audit.record(request.user, "export", row, None, {"sha256": archive.digest}, now=clock.utcnow())
        answer = HttpResponse(data, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="{row.pk}.zip"'
        answer["Cache-Control"] = "no-store"
        return answer

    def certificate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        row = self._known(request, pk)
        erasure = Erasure.objects.filter(request=row).select_related("by", "brand").first()
        if erasure is None or erasure.finished_at is None:
            self.message_user(request, gettext("There is no certificate before the erasure is done."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:consent_privacyrequest_change", args=[pk]))
        labels = {store.key: store.label for store in stores()}
        labels[OF_OTHERS] = _("others’ rows, in which the name was masked")
        context = {
            "request_row": row,
            "erasure": erasure,
            "counts": [(labels.get(key, key), count) for key, count in sorted(erasure.counts.items())],
            "exceptions": EXCEPTIONS,
            "is_download": "download" in request.GET,
        }
        if "download" not in request.GET:
            return drawn(self, request, row, "admin/consent/certificate.html", gettext("Certificate"), **context)
        answer = TemplateResponse(request, "consent/certificate.html", context)
        answer["Content-Disposition"] = f'attachment; filename="{row.pk}.html"'
        return answer

    def data_map(self, request: HttpRequest) -> HttpResponse:
        """What is kept of people, why, how long, where, and what becomes of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        days = {share.kind.key: share.days for share in kinds.shares(clock.utcnow()) if share.brand_id is None}
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Data map"),
            "stores": [_of_store(store, days) for store in stores()],
            "exceptions": EXCEPTIONS,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/consent/data_map.html", context)

    def _known(self, request: HttpRequest, pk: Any) -> PrivacyRequest:
        row: PrivacyRequest | None = self.get_object(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


def may_work(request: HttpRequest, row: PrivacyRequest) -> bool:
    """Who carries it out reads whom it is about."""
    return request.user.has_perm("consent.carry_out_privacyrequest") and not personal.is_masked(row)


def _of_store(store: Any, days: dict[str, int]) -> dict[str, Any]:
    return {
        "store": store,
        "days": days.get(store.kept),
        "tables": [
            {
                "label": table.model._meta.verbose_name_plural,
                "name": table.name,
                "fields": [
                    table.model._meta.get_field(name).verbose_name for name in sorted(personal.names(table.model))
                ],
                "fate": table.fate if isinstance(table.fate, str) else ("overwrite" if table.fate else "keep"),
                "is_exported": bool(table.shown),
            }
            for table in store.tables
        ],
    }


@admin.register(PrivacyStep)
class PrivacyStepAdmin(Facts):
    list_display = ("id", link("request_id", "consent_privacyrequest", _("privacy request")), "state", "by", "note")
    list_select_related = ("by",)
    search_fields = ("request__id",)


@admin.register(PrivacyArchive)
class PrivacyArchiveAdmin(Facts):
    """Fetched from the page of its request, and from nowhere else."""

    list_display = (
        link("request_id", "consent_privacyrequest", _("privacy request")),
        when("made_at", _("made")),
        when("expires_at", _("kept until")),
        "size",
        "downloads",
        when("removed_at", _("removed")),
    )
    search_fields = ("request__id", "digest")
    exclude = ("data",)
    when_empty = _("Nobody has asked what is held of them yet.")


@admin.register(Erasure)
class ErasureAdmin(Facts):
    list_display = (
        "id",
        link("request_id", "consent_privacyrequest", _("privacy request")),
        when("begun_at", _("begun")),
        when("finished_at", _("finished")),
        "by",
        "identifiers",
        "addresses",
    )
    list_select_related = ("by",)
    search_fields = ("id", "request__id")
    exclude = ("subject", "counts", "shown")
    readonly_fields = ("shown_counts",)
    shown_counts = staticmethod(laid_out("counts", _("rows by store")))
    when_empty = _("Nobody was erased yet.")


@admin.register(Restriction)
class RestrictionAdmin(Facts):
    list_display = (
        link("profile_id", "customers_profile", _("profile")),
        link("request_id", "consent_privacyrequest", _("privacy request")),
        when("since", _("since")),
        when("lifted_at", _("lifted")),
    )
    search_fields = ("profile_id", "request__id")
    when_empty = _("Nobody has asked for processing to be restricted.")


@admin.register(ErasedAddress)
class ErasedAddressAdmin(Facts):
    list_display = ("id", _HASH, when("erased_at", _("erased")))
    fields = ("shown_hash", "address_id", "erased_at")
    readonly_fields = fields
    shown_hash = staticmethod(_HASH)
    when_empty = _("No address was erased yet.")
