"""Rights on the staff pages: what a person may not see or change is not listed, found, offered or acted upon."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from unfold.views import ChangeList

from customers import personal
from customers.admin.audited import Audited
from customers.models import Squad
from customers.people import colleagues, own_squads
from customers.visibility import OwnedQuerySet, changeable, visible

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin

    Base = BaseModelAdmin[Any]
else:
    Base = object


class GuardedRows(Base):
    """What pages and inlines share: rows as the person may see them, and choices among those alone."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return shown(super().get_queryset(request), request)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: Any, request: Any, given: dict[str, Any]) -> QuerySet[Any]:
        target: type[Model] = db_field.remote_field.model
        rows = given.get("queryset")
        if rows is None:
            rows = self.get_field_queryset(given.get("using"), db_field, request)
        if rows is None:
            rows = target._default_manager.all()
        if target is get_user_model():
            return colleagues(rows, request.user)
        if target is Squad:
            return own_squads(rows, request.user)  # type: ignore[arg-type]  # rows of that very model
        # Whoever adds a version to something changes that thing.
        if db_field.name == getattr(self, "parent", None):
            rows = changeable(rows, request.user)
        return shown(rows, request)


class GuardedInline(GuardedRows):
    """Whether it may be changed is its page's question: Django asks the page first."""


class Guarded(GuardedRows, Audited):
    """A model's pages. Unknown and foreign ids get one answer, whatever is done with them."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GuardedList

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_view_permission(request, obj)
        return may and (obj is None or _once(request, "view", obj, _sees))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or _once(request, "change", obj, _changes))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or _once(request, "change", obj, _changes))

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The order of masked values would tell what they are."""
        return [name for name in super().get_sortable_by(request) if name not in personal.names(self.model)]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Written inside the page's transaction: a row put where its author may not write is taken back.
        if not request.user.is_superuser and not visible(_rows(obj), request.user).exists():
            raise PermissionDenied
        if (change or getattr(self.model, "for_managers", False)) and not _changes(request, obj):
            raise PermissionDenied

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        chosen = self._chosen(request)
        if self._changes_rows(request):
            allowed = changeable(self.model._default_manager.all(), request.user)
            if request.POST.get("select_across", "0") != "1":
                mine = set(allowed.filter(pk__in=chosen).values_list("pk", flat=True))
                others = [key for key in chosen if key not in mine]
                if others:
                    self.refuse(request, others)
                    return HttpResponseRedirect(request.get_full_path())
            queryset = queryset.filter(pk__in=allowed.order_by().values("pk"))
        return super().response_action(request, queryset)

    def refuse(self, request: HttpRequest, keys: list[Any]) -> None:
        """Somebody chose rows that are not theirs to change, or that are not there: one answer for both."""
        text = gettext("Nothing was done: some of the chosen rows are not yours to change.")
        self.message_user(request, text, messages.ERROR)
        self.note_refusal(request, keys)

    def _changes_rows(self, request: HttpRequest) -> bool:
        """All actions do but those that ask for no more than the permission to look."""
        offered: dict[str, Any] = self.get_actions(request)
        chosen = [offered[name][0] for name in request.POST.getlist("action") if name in offered]
        return any(set(getattr(action, "allowed_permissions", ())) != {"view"} for action in chosen)

    def _chosen(self, request: HttpRequest) -> list[Any]:
        """The chosen keys, without what can be no key of this model."""
        keys = list(_keys(self.model, request.POST.getlist(ACTION_CHECKBOX_NAME)))
        post = request.POST.copy()
        post.setlist(ACTION_CHECKBOX_NAME, [str(key) for key in keys])
        request.POST = post  # type: ignore[assignment]  # a copy as Django itself makes one
        return keys


class GuardedList(ChangeList):
    """A list that answers to its declared filters only, each offering no more than the person may see."""

    def get_filters(self, request: Any) -> Any:
        specs, has_filters, remaining, duplicates, active = super().get_filters(request)
        dates = self.date_hierarchy or ""
        unknown = [key for key in remaining if not (dates and key in {f"{dates}__gte", f"{dates}__lt"})]
        if unknown:
            raise IncorrectLookupParameters
        for spec in specs:
            _narrow(spec, request)
        return specs, has_filters, remaining, duplicates, active


def _narrow(spec: Any, request: HttpRequest) -> None:
    """Strike choices that name rows of another model which the person may not see."""
    choices = getattr(spec, "lookup_choices", None)
    related = getattr(getattr(spec, "field", None), "related_model", None)
    if choices and related is not None:
        keys = [key for key, _label in choices]
        seen = set(
            visible(related._default_manager.all(), request.user).filter(pk__in=keys).values_list("pk", flat=True)
        )
        spec.lookup_choices = [choice for choice in choices if choice[0] in seen]


def shown(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Rows as this request's person may see them."""
    return rows.shown_to(request.user) if isinstance(rows, OwnedQuerySet) else visible(rows, request.user)


def _rows(obj: Model) -> QuerySet[Any]:
    return type(obj)._default_manager.filter(pk=obj.pk)


def _sees(request: HttpRequest, obj: Model) -> bool:
    return request.user.is_active and (request.user.is_superuser or visible(_rows(obj), request.user).exists())


def _changes(request: HttpRequest, obj: Model) -> bool:
    if personal.is_masked(obj):
        return False
    return request.user.is_active and (request.user.is_superuser or changeable(_rows(obj), request.user).exists())


def _once(request: HttpRequest, right: str, obj: Model, ask: Any) -> bool:
    """Django asks several times for one page; the database is asked once."""
    answers: dict[Any, bool] = request.__dict__.setdefault("_rights", {})
    key = right, type(obj), obj.pk
    if key not in answers:
        answers[key] = ask(request, obj)
    return answers[key]


def _keys(model: type[Model], given: Iterable[str]) -> Iterable[Any]:
    for text in given:
        try:
            yield model._meta.pk.to_python(text)
        except (ValidationError, ValueError, OverflowError):
            continue
