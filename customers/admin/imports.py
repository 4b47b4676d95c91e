"""Imports: files of customers and events handed in, mapped, taken in and accounted for, row by row."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from customers import audit, clock, jobs
from customers.admin.base import AnyAdmin, Facts
from customers.admin.import_forms import HandInForm, ReadingForm
from customers.admin.import_page import draft_of, keep_choices, progress_of
from customers.admin.presented import drawn
from customers.admin.show import Tone, badge, when
from customers.imports import chunks, file, refused_file
from customers.imports.job import begin, forget_file
from customers.imports.limits import FileRefused, max_bytes
from customers.imports.words import words_of
from customers.models import Import, Job, RefusedRow
from customers.visibility import sees_pii

_TONES: Final[dict[str, Tone]] = {"done": "good", "failed": "bad", "working": "info", "waiting": "info"}
# What a form has besides the file in it.
_FORM_BYTES: Final = 64 * 1024


@admin.register(Import)
class ImportAdmin(AnyAdmin):
    list_display = (
        "file_name",
        "source",
        "rows",
        "standing",
        "came_to",
        "created_by",
        when("created_at", _("handed in")),
    )
    list_filter = ("source", "rows", "job__state")
    list_select_related = ("source", "job", "created_by")
    search_fields = ("file_name", "digest")
    search_help_text = _("A part of the file’s name, or its SHA-256.")
    ordering = ("-created_at",)
    when_empty = _("Hand in a CSV file of customers or events: its first rows are shown before anything is imported.")

    def get_urls(self) -> list[Any]:
        hand_in = csrf_exempt(self.admin_site.admin_view(self._unread(self.hand_in_view)))
        refused = self.admin_site.admin_view(self.refused_view)
        return [
            path("add/", hand_in, name="customers_import_add"),
            path("<path:object_id>/refused/", refused, name="customers_import_refused"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("status"), ordering="job__state")
    def standing(self, row: Import) -> SafeString:
        if row.job is not None:
            return badge(row.job.get_state_display(), _TONES.get(row.job.state, ""))
        if row.removed_at is not None:
            return badge(pgettext("import", "removed"), "")
        return badge(pgettext("import", "not begun"), "warn")

    @admin.display(description=_("accepted, known, refused"))
    def came_to(self, row: Import) -> str:
        report = row.job.report if row.job is not None else {}
        return " · ".join(str(report.get(name, 0)) for name in ("accepted", "duplicates", "rejected")) if report else ""

    def _unread(self, view: Any) -> Any:
        """The view before anything of a large body is read: also the question for the form's token reads it all."""

        @csrf_exempt
        def looked_at(request: HttpRequest) -> HttpResponse:
            if not self.has_add_permission(request):
                raise PermissionDenied
            if int(request.META.get("CONTENT_LENGTH") or 0) > max_bytes() + _FORM_BYTES:
                form = HandInForm(request)
                return self._form(request, form, status=413, refusal=str(chunks.too_large()))
            answer: HttpResponse = csrf_protect(view)(request)
            return answer

        return looked_at

    def hand_in_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return self._form(request, HandInForm(request, initial={"rows": request.GET.get("rows", "")}))
        form = HandInForm(request, request.POST, request.FILES)
        if not form.is_valid():
            return self._form(request, form, status=422)
        told = form.cleaned_data
        now = clock.utcnow()
        try:
            with transaction.atomic():
                parent = file.hand_in(
                    told["source"], told["rows"], told["file"].name, told["file"].chunks(), now, by=request.user
                )
                audit.record(request.user, "add", parent, None, _picture(parent), now=now)
        except FileRefused as error:
            return self._form(request, form, status=422, refusal=str(error))
        return HttpResponseRedirect(reverse("admin:customers_import_change", args=[parent.pk]))

    def _form(self, request: HttpRequest, form: HandInForm, *, status: int = 200, refusal: str = "") -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Hand in a file"),
            "form": form,
            "refusal": refusal,
            "has_view_permission": True,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/customers/imports/hand_in.html", context, status=status)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row: Import | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return gone
        if request.method == "POST":
            if not self.has_change_permission(request, row):
                self.note_refusal(request, [object_id])
                raise PermissionDenied
            return self._do(request, row)
        if request.GET.get("part") == "progress" and row.job is not None:
            return TemplateResponse(
                request, "admin/customers/imports/progress.html", {"imported": row, **progress_of(row, request)}
            )
        return self._page(request, row)

    def _page(self, request: HttpRequest, row: Import, *, posted: Any = None, problem: str = "") -> HttpResponse:
        context: dict[str, Any] = {
            "imported": row,
            "may_change": self.has_change_permission(request, row),
            "problem": problem,
            "standing": self.standing(row),
        }
        if row.job is not None:
            context |= progress_of(row, request) | {"reads": sees_pii(request.user, row.source.brand_id)}
        elif row.removed_at is None:
            try:
                context |= draft_of(row, request, posted=posted)
            except FileRefused as error:
                context |= {"problem": problem or str(error)}
        answer = drawn(self, request, row, "admin/customers/imports/page.html", str(row), **context)
        if problem or (context.get("problems") and posted is not None):
            answer.status_code = 422
        return answer

    def _do(self, request: HttpRequest, row: Import) -> HttpResponse:
        """One of the things that can be done with an import, as its page asks for it."""
        asked = request.POST.get("do", "")
        steps = {
            "read": self._read,
            "map": self._map,
            "begin": self._begin,
            "go_on": self._go_on,
            "stop": self._stop,
            "remove": self._remove,
        }
        if asked not in steps:
            raise Http404
        return steps[asked](request, row)

    def _read(self, request: HttpRequest, row: Import) -> HttpResponse:
        form = ReadingForm(request.POST)
        if row.job is None and row.removed_at is None and form.is_valid():
            try:
                with transaction.atomic():
                    file.read_as(row, **form.cleaned_data)
                    Import.objects.filter(pk=row.pk).update(choices={}, mapping={})
            except FileRefused as error:
                return self._page(request, Import.objects.get(pk=row.pk), problem=str(error))
        return self._back(row)

    def _map(self, request: HttpRequest, row: Import) -> HttpResponse:
        if row.job is not None or row.removed_at is not None:
            return self._back(row)
        return self._page(request, row, posted=request.POST) if keep_choices(row, request.POST) else self._back(row)

    def _begin(self, request: HttpRequest, row: Import) -> HttpResponse:
        if row.job is None and row.removed_at is None and keep_choices(row, request.POST):
            return self._page(request, row, posted=request.POST)
        return self._go_on(request, row)

    def _go_on(self, request: HttpRequest, row: Import) -> HttpResponse:
        if row.removed_at is None and row.mapping:
            job = begin(row, clock.utcnow(), by=request.user)
            self._note(request, "import", row, {"job": str(job.pk), "mapping": row.mapping})
        return self._back(row)

    def _stop(self, request: HttpRequest, row: Import) -> HttpResponse:
        if row.job is not None and jobs.cancel(row.job.pk, clock.utcnow()):
            self._note(request, "stop", row, {"state": Job.State.CANCELLED.value})
            self.message_user(request, gettext("It was stopped. What is imported stays imported."), messages.SUCCESS)
        return self._back(row)

    def _remove(self, request: HttpRequest, row: Import) -> HttpResponse:
        if row.removed_at is None and (row.job is None or row.job.is_over):
            forget_file(row, clock.utcnow())
            self._note(request, "remove_file", row, {"removed": True})
            self.message_user(request, gettext("The file was removed."), messages.SUCCESS)
        return self._back(row)

    def refused_view(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        """The refused rows as a file: for whoever may read what is in them."""
        row: Import | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, row) or not request.user.has_perm("customers.view_refusedrow"):
            raise PermissionDenied
        if row is None:
            gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return gone
        rows = RefusedRow.objects.shown_to(request.user).filter(parent=row).order_by("row")
        self._note(request, "export", row, {"refused_rows": True})
        answer = StreamingHttpResponse(refused_file.refused_file(row, rows.iterator(chunk_size=500)))
        answer["Content-Type"] = "text/csv; charset=utf-8"
        answer["Content-Disposition"] = 'attachment; filename="refused.csv"'
        return answer

    def _note(self, request: HttpRequest, action: str, row: Import, told: dict[str, Any]) -> None:
        audit.record(request.user, action, row, None, told, now=clock.utcnow())

    def _back(self, row: Import) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_import_change", args=[row.pk]))


def _picture(row: Import) -> dict[str, Any]:
    return {"source": str(row.source), "rows": row.rows, "file_name": row.file_name, "bytes": row.size}


@admin.register(RefusedRow)
class RefusedRowAdmin(Facts):
    list_display = ("row", "reason", "what_is_wrong", "parent")
    list_filter = ("parent__source",)
    list_select_related = ("parent",)
    search_fields = ("id", "code", "row")
    when_empty = _("Rows of imported files that became nothing, each with its reason, are kept here for a month.")
    fields = ("row", "reason", "what_is_wrong", "what_to_do", "place", "cells", "parent")
    readonly_fields = ("reason", "what_is_wrong", "what_to_do")

    @admin.display(description=_("reason"), ordering="code")
    def reason(self, row: RefusedRow) -> SafeString:
        return badge(row.code.replace("_", " "), "bad")

    @admin.display(description=_("message"))
    def what_is_wrong(self, row: RefusedRow) -> str:
        return words_of(row.code, row.message, row.hint)[0]

    @admin.display(description=_("what to do"))
    def what_to_do(self, row: RefusedRow) -> str:
        return words_of(row.code, row.message, row.hint)[1]
