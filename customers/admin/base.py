"""What the admin pages of all apps share: read-only facts, bounded lists, exact search, small tables."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import JSONField, Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold import admin as unfold
from unfold.overrides import FORMFIELD_OVERRIDES as OVERRIDES

from customers import personal
from customers.admin.fields import Document, DocumentArea
from customers.admin.guarded import Guarded, GuardedInline
from customers.admin.presented import Presented
from customers.looks import moment
from customers.models import UnitAttempt
from customers.search import rows_by

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    Pages = admin.ModelAdmin[Any]
    Tabular = admin.TabularInline[Any, Any]
    Stacked = admin.StackedInline[Any, Any]
else:
    Pages, Tabular, Stacked = unfold.ModelAdmin, unfold.TabularInline, unfold.StackedInline


_FIELDS = {**OVERRIDES, JSONField: {"form_class": Document, "widget": DocumentArea}}


class AnyAdmin(Presented, Guarded, Pages):
    """The pages of any model: in our look, within the rights of whoever looks, and on the audit trail."""

    # What a list without rows says: what would be there, and what to do for it.
    when_empty: ClassVar["_StrOrPromise"] = ""
    formfield_overrides = _FIELDS

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """The first column leads to the row's page, unless it leads elsewhere: a link in a link is none."""
        if self.list_display_links or self.list_display_links is None:
            return super().get_list_display_links(request, list_display)
        return [name for name in list_display if not getattr(name, "leads_elsewhere", False)][:1] or None


class AnyTabular(GuardedInline, Tabular):
    formfield_overrides = _FIELDS

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A field in a table has its label in the head of the column, where nobody hears it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and field.label:
            # A choice of other rows is wrapped together with its "add another".
            for widget in (field.widget, getattr(field.widget, "widget", None)):
                if widget is not None:
                    widget.attrs.setdefault("aria-label", field.label)
        return field


class AnyStacked(GuardedInline, Stacked):
    formfield_overrides = _FIELDS


# A table of millions is not counted to its end for a page of fifty.
COUNTED = 10_000
# Rows of a small table on a page; a person reads no more.
SHOWN = 200
_FOUND = 1_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts to `COUNTED` and no further; who seeks more narrows the list."""

    @cached_property
    def count(self) -> int:
        listed: Any = self.object_list
        return int(listed.order_by()[:COUNTED].count())


class ReadOnly:
    """Nobody adds, changes or deletes by hand, whatever their permissions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Kept(AnyAdmin):
    """Things that others name by key or id: changed or switched off, never deleted, as keys are used once."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Versioned(Kept):
    """Numbered versions of `parent`, made once and never changed: what was said stays what was said."""

    parent: ClassVar[str]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("number",) if obj is None else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        declared = tuple(self.readonly_fields)
        return declared if obj is None else (self.parent, "number", *declared)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            parent = getattr(obj, self.parent)
            # The parent's row is the lock under which numbers are given.
            type(parent).objects.select_for_update().get(pk=parent.pk)
            last = parent.versions.order_by("-number").values_list("number", flat=True).first()
            obj.number = (last or 0) + 1
        super().save_model(request, obj, form, change)


class Versions(ReadOnly, AnyTabular):
    """The versions so far on the page of what they are of; each has a page of its own."""

    fields: ClassVar[Any] = ("page", "created_at")
    readonly_fields: ClassVar[Any] = ("page", "created_at")
    ordering = ("-number",)
    extra = 0
    can_delete = False

    @admin.display(description=_("version"))
    def page(self, version: Any) -> SafeString:
        """A link that is always there: the one of the row's title shows only under a mouse."""
        return format_html('<a href="{}">{}</a>', page_of(version), f"v{version.number}")


def page_of(row: Model) -> str:
    """Its page among the staff's."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def may_add(request: HttpRequest, model: type[Model]) -> bool:
    return bool(request.user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}"))


def a_new_version(model: type[Model], **parent: Any) -> SafeString:
    """A link to the page where one is written."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(parent), _("Write a new version"))


class ExactSearch:
    """Finds what equals the search term in one of `search_fields`, each by its own index, never by a scan."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found: set[Any] = set()
        for path in self.search_fields:  # type: ignore[attr-defined]  # declared by the admin it is mixed into
            values = _as_values(queryset.model, path, term)
            if values:
                matching = rows_by(queryset.model, path, values, request.user)
                found.update(matching.order_by().values_list("pk", flat=True)[:_FOUND])
        return queryset.filter(pk__in=found), False


def _as_values(model: type[Model], path: str, term: str) -> list[Any]:
    """The term as a value of that field, also in the lower case that identifiers are kept in."""
    field = get_fields_from_path(model, path)[-1]
    try:
        return [field.to_python(spelled) for spelled in {term, term.lower()}]
    except (ValidationError, ValueError, OverflowError):
        return []


class Facts(ExactSearch, ReadOnly, AnyAdmin):
    """Large tables of what happened: newest first, counted within bounds, searched by whole values."""

    ordering = ("-pk",)
    search_help_text = _("Whole values only.")
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50


class QueueRows(Facts):
    """A queue of the pipeline; `queue` is its name in the books of failed units."""

    ordering = ("pk",)
    queue: ClassVar[str]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "attempts_so_far")

    @admin.display(description=_("attempts"))
    def attempts_so_far(self, obj: Model) -> SafeString | str:
        tries = UnitAttempt.objects.filter(queue=self.queue, unit_id=obj.pk)
        # Attempts belong to no brand, but to a row that was shown to somebody.
        hides = personal.is_veiled(obj)
        return table(
            (_("attempts"), _("reason"), _("next attempt at")),
            (
                (one.attempts, personal.mask(one.reason, personal.TEXT) if hides else one.reason, one.next_at)
                for one in tries[:SHOWN]
            ),
        )


def link(attribute: str, to: str, label: "_StrOrPromise") -> Callable[[Any], SafeString | str]:
    """A column that leads to an object's page by its id, without loading the object, which may be erased."""

    @admin.display(description=label, ordering=attribute)
    def column(obj: Any) -> SafeString | str:
        return page_link(to, getattr(obj, attribute))

    column.leads_elsewhere = True  # type: ignore[attr-defined]  # read by AnyAdmin
    return column


def page_link(to: str, key: object) -> SafeString | str:
    """`to` is app_model; empty for no key."""
    if key is None or key == "":
        return ""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{to}_change", args=[key]), key)


def hexadecimal(attribute: str, label: "_StrOrPromise") -> Callable[[Any], str]:
    """A digest as people compare it; `staticmethod` makes it a field of a page."""

    @admin.display(description=label)
    def column(obj: Any) -> str:
        return bytes(getattr(obj, attribute)).hex()

    return column


def table(heads: Sequence["_StrOrPromise"], rows: Iterable[Sequence[object]]) -> SafeString | str:
    """Rows of values as a small table, escaped; empty without rows. Querysets are cut at `SHOWN`, and times are told as
    everywhere else."""
    shown = list(rows[:SHOWN] if isinstance(rows, QuerySet) else rows)
    if not shown:
        return ""
    body = format_html_join("", "<tr>{}</tr>", ((_cells("td", row),) for row in shown))
    frame = (
        '<div class="t-scroll" tabindex="0"><table class="t-table">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    )
    return format_html(frame, _cells("th", heads), body)


def _cells(tag: str, values: Iterable[object]) -> SafeString:
    cell = f"<{tag}>{{}}</{tag}>"
    return format_html_join("", cell, ((_shown(value),) for value in values))


def _shown(value: object) -> object:
    if value is None:
        return ""
    return moment(value) if isinstance(value, datetime) else value
