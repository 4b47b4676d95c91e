"""What is done on the staff pages goes to the audit trail, and what was refused there as well."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from customers import audit, clock, personal
from customers.difference import differences
from customers.models import AuditEntry

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
else:
    Page = object

# Of an action on more rows than these, one entry says how many.
_EACH = 100
_HISTORY = 200


class Audited(Page):
    """Keeps what a row was when its page was opened, and writes what became of it."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST":
            _before(request)[found.pk] = audit.picture(found)
        return found

    def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> Any:
        request._told = _relations(form, add), _inlines(formsets or ()), list(form.changed_data)
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        (_was, related), inlines, _names = _told(request)
        self._write(request, "add", obj, None, audit.picture(obj) | related | inlines)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        (was, related), inlines, names = _told(request)
        before, after = audit.changes(_before(request).get(obj.pk, {}) | was, audit.picture(obj) | related)
        # Of what may not be written down, such as a password, it is written that it was changed.
        hidden = {name: personal.MASK for name in names or _named(message) if name not in after}
        after |= inlines | ({} if after or inlines else hidden)
        if after:
            self._write(request, "change", obj, before, after)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            self._write(request, "delete", obj, audit.picture(obj), None)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        with _Watched(self, request, object_id):
            return super().changeform_view(request, object_id, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        with _Watched(self, request, object_id):
            return super().delete_view(request, object_id, *args, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        if request.method == "POST":
            self.note_refusal(request, [object_id])
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]  # Django's own

    def note_refusal(self, request: HttpRequest, keys: Iterable[Any]) -> None:
        """Somebody tried what is not theirs to do, or on what is not there."""
        tried = {"path": request.path[:200], "objects": [str(key)[:64] for key in keys][:_EACH]}
        audit.record(_person(request), "refused", self.model, None, tried, now=clock.utcnow())

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        name = next((name for name in request.POST.getlist("action") if name in self.get_actions(request)), "")
        chosen = list(queryset.filter(pk__in=request.POST.getlist("_selected_action")).values_list("pk", flat=True))
        before = self._pictures(chosen)
        response = None
        try:
            response = super().response_action(request, queryset)
        finally:
            # Also when it broke off: actions commit as they go.
            asked_back = isinstance(response, TemplateResponse)
            if name and name != "delete_selected" and not asked_back:
                self._write_action(request, name, chosen, before)
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        entries = AuditEntry.objects.filter(object_type=self.opts.label_lower, object_id=str(obj.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History"),
            "subtitle": str(obj),
            "entries": [
                {
                    "at": entry.at,
                    "actor": entry.actor if entry.actor_id else None,
                    "did": audit.words(entry.action),
                    "changes": differences(entry.before, entry.after),
                }
                for entry in entries.select_related("actor").order_by("-pk")[:_HISTORY]
            ],
            "object": obj,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/customers/history.html", context)

    def _pictures(self, keys: list[Any]) -> dict[Any, dict[str, Any]]:
        rows = self.model._default_manager.filter(pk__in=keys[:_EACH]) if keys else ()
        return {row.pk: audit.picture(row) for row in rows}

    def _write_action(self, request: HttpRequest, name: str, chosen: list[Any], before: dict[Any, Any]) -> None:
        if request.POST.get("select_across", "0") != "0" or len(chosen) > _EACH:
            done = {"chosen": gettext("all of the list") if len(chosen) <= _EACH else len(chosen)}
            audit.record(_person(request), name, self.model, None, done, now=clock.utcnow())
            return
        rows = {row.pk: row for row in self.model._default_manager.filter(pk__in=chosen)} if chosen else {}
        for key, row in rows.items():
            was, became = audit.changes(before.get(key, {}), audit.picture(row))
            self._write(request, name, row, was, became)

    def _write(self, request: HttpRequest, action: str, obj: Model, before: Any, after: Any) -> None:
        audit.record(_person(request), action, obj, before, after, now=clock.utcnow())


class _Watched:
    """Writes a refusal after the page's transaction has been undone."""

    def __init__(self, page: Audited, request: HttpRequest, object_id: str | None) -> None:
        self._page, self._request, self._keys = page, request, [object_id] if object_id else []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is PermissionDenied and self._request.method == "POST":
            self._page.note_refusal(self._request, self._keys)


def _person(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


def _before(request: HttpRequest) -> dict[Any, dict[str, Any]]:
    kept: dict[Any, dict[str, Any]] = request.__dict__.setdefault("_pictures", {})
    return kept


def _told(request: HttpRequest) -> Any:
    return getattr(request, "_told", (({}, {}), {}, []))


def _named(message: Any) -> list[str]:
    """The fields a message of Django's own pages names, such as the one for a new password."""
    told = message if isinstance(message, list) else []
    return [str(name) for part in told for name in part.get("changed", {}).get("fields", ())]


def _relations(form: Any, add: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Many-to-many fields, which are no columns of the row."""
    # Forms such as the one for a new password are about no model.
    options = getattr(form, "_meta", None)
    names = {field.name for field in options.model._meta.many_to_many} if options is not None else set()
    changed = [name for name in form.changed_data if name in names]
    was = {} if add else {name: _labels(form.initial.get(name) or ()) for name in changed}
    return was, {name: _labels(form.cleaned_data.get(name) or ()) for name in changed}


def _labels(related: Iterable[Any]) -> list[str]:
    return sorted(str(row) for row in related)


def _inlines(formsets: Iterable[Any]) -> dict[str, Any]:
    """What was added, changed and deleted in the tables of the same page."""
    told: dict[str, Any] = {}
    for formset in formsets:
        done = {
            "added": [audit.picture(row) for row in getattr(formset, "new_objects", ())],
            "changed": [
                {"id": str(row.pk)} | {name: value for name, value in audit.picture(row).items() if name in names}
                for row, names in getattr(formset, "changed_objects", ())
            ],
            "deleted": [audit.picture(row) for row in getattr(formset, "deleted_objects", ())],
        }
        done = {how: rows for how, rows in done.items() if rows}
        if done:
            told[str(formset.model._meta.model_name)] = done
    return told
