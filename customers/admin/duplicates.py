"""The queue of possible duplicates: what speaks for one person, what a merge would do, and the decision."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers import audit, clock
from customers.admin.base import Facts
from customers.admin.compared import agreements, named
from customers.admin.presented import drawn
from customers.admin.show import Tone, badge, state, when
from customers.duplicates import linking, review, search
from customers.models import Brand, Customer, DuplicatePair
from customers.visibility import visible_brands

_STATES: Final[dict[str, Tone]] = {"open": "warn", "accepted": "good"}
MERGE: Final = "customers.merge_customer"


class StateFilter(admin.SimpleListFilter):
    """What is to be decided, unless somebody asks for more."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        others = [one for one in DuplicatePair.State.choices if one[0] != DuplicatePair.State.OPEN]
        return [*others, ("all", pgettext_lazy("pairs", "all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": DuplicatePair.State.OPEN.label}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or DuplicatePair.State.OPEN
        return queryset if chosen == "all" else queryset.filter(state=chosen)


@admin.register(DuplicatePair)
class DuplicatePairAdmin(Facts):
    ordering = ("-probability", "pk")  # type: ignore[assignment]  # as many as it takes
    list_display = (
        "likely",
        "one",
        "other",
        "agreeing",
        state("state", _STATES, _("state")),
        when("found_at", _("found")),
        "decided_by",
    )
    list_filter = (StateFilter,)
    list_select_related = ("decided_by", "low__customer", "high__customer")
    list_before_template = "admin/customers/duplicates_search.html"
    search_fields = ("id", "low__id", "high__id")
    actions = ("tell_apart",)
    when_empty = _("No two customers look like one person. They are looked for every night.")

    @admin.display(description=_("probability"), ordering="probability")
    def likely(self, pair: DuplicatePair) -> str:
        # Nobody is certain: what would be rounded to that is told as more than the next best.
        percent = min(100 * pair.probability, 99.99)
        return f"{number_format(percent, 2 if percent > 99 else 1)} %"

    @admin.display(description=_("one"))
    def one(self, pair: DuplicatePair) -> str:
        return named(pair.low.customer)

    @admin.display(description=_("other"))
    def other(self, pair: DuplicatePair) -> str:
        return named(pair.high.customer)

    @admin.display(description=_("what agrees"))
    def agreeing(self, pair: DuplicatePair) -> str:
        return ", ".join(str(one.label) for one in agreements(pair.evidence) if one.weight > 0 and one.is_close)

    def get_urls(self) -> Any:
        wrap, name = self.admin_site.admin_view, "customers_duplicatepair"
        return [
            path("look/", wrap(self.look_view), name=f"{name}_look"),
            path("<uuid:pk>/decide/", wrap(self.decide_view), name=f"{name}_decide"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {
            "is_available": linking.is_available(),
            "searchable": list(visible_brands(request.user)) if self._may_decide(request) else [],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        pair = self.get_object(request, object_id)
        if request.method == "POST" or not self.has_view_permission(request, pair):
            raise PermissionDenied
        if pair is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        is_open = pair.state == DuplicatePair.State.OPEN
        customers = _customers(request, pair)
        may = is_open and len(customers) == 2 and self.may_decide_pair(request, pair)
        return drawn(
            self, request, pair, "admin/customers/duplicate.html", gettext("One person, or two?"),
            pair=pair,
            likely=self.likely(pair),
            people=[(one, named(one)) for one in customers],
            agreements=agreements(pair.evidence, *customers) if len(customers) == 2 else (),
            state=_badge(pair),
            is_open=is_open,
            may_decide=may,
            preview=review.preview(pair, request.user, clock.utcnow()) if may else None,
            next=self._next(request, pair),
        )  # fmt: skip

    def decide_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        pair = self.get_object(request, str(pk))
        if pair is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if request.method != "POST" or not self.may_decide_pair(request, pair):
            if request.method == "POST":
                self.note_refusal(request, [pk])
            raise PermissionDenied
        onward = self._next(request, pair) or reverse("admin:customers_duplicatepair_changelist")
        choice = request.POST.get("choice")
        if choice == "accept":
            self._accept(request, pair)
        elif choice == "reject" and review.reject([pair.pk], request.user, clock.utcnow()):
            audit.record(
                request.user, "reject_duplicate", pair, {"state": "open"}, {"state": "rejected"}, now=clock.utcnow()
            )
            self.message_user(request, gettext("They are two people. This is remembered."), messages.SUCCESS)
        return HttpResponseRedirect(onward)

    def _accept(self, request: HttpRequest, pair: DuplicatePair) -> None:
        try:
            review.accept(pair, request.user, clock.utcnow())
        except review.NotOpen:
            self.message_user(request, gettext("Nothing was done: this was decided meanwhile."), messages.WARNING)
        except review.StillApart:
            text = gettext("Nothing was done: other evidence holds them apart. Look at their edges.")
            self.message_user(request, text, messages.ERROR)
        else:
            after = {"state": "accepted", "low": str(pair.low_id), "high": str(pair.high_id)}
            audit.record(request.user, "merge", pair, {"state": "open"}, after, now=clock.utcnow())
            self.message_user(request, gettext("They are one customer now."), messages.SUCCESS)

    def look_view(self, request: HttpRequest) -> HttpResponse:
        brand = visible_brands(request.user).filter(pk=_uuid(request.POST.get("brand"))).first()
        if request.method != "POST" or brand is None or not self._may_decide(request):
            raise PermissionDenied
        job = search.ask(brand, clock.utcnow(), by=request.user)
        audit.record(
            request.user, "look_for_duplicates", Brand, None, {"job": str(job.pk)}, brand=brand, now=clock.utcnow()
        )
        self.message_user(request, gettext("The search was asked for. What it finds will be listed here."))
        return HttpResponseRedirect(reverse("admin:customers_duplicatepair_changelist"))

    @admin.action(description=_("Two people: do not propose again"), permissions=["decide"])
    def tell_apart(self, request: HttpRequest, queryset: QuerySet[DuplicatePair]) -> None:
        mine = [pair.pk for pair in queryset if self.may_decide_pair(request, pair)]
        count = review.reject(mine, request.user, clock.utcnow())
        text = ngettext("%(count)s pair was told apart.", "%(count)s pairs were told apart.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self._may_decide(request)

    def _may_decide(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.change_duplicatepair") and request.user.has_perm(MERGE)

    def may_decide_pair(self, request: HttpRequest, pair: DuplicatePair) -> bool:
        """Only who reads both people decides about them."""
        profiles = (pair.low_id, pair.high_id)
        readable = Customer.objects.personal_to(request.user).filter(profiles__in=profiles).distinct()
        return self._may_decide(request) and readable.count() == 2

    def _next(self, request: HttpRequest, pair: DuplicatePair) -> str:
        """Where the next open pair is, the less probable after this one; empty after the last."""
        after = Q(probability__lt=pair.probability) | Q(probability=pair.probability, pk__gt=pair.pk)
        rows = DuplicatePair.objects.visible_to(request.user).filter(after, state=DuplicatePair.State.OPEN)
        key = rows.order_by("-probability", "pk").values_list("pk", flat=True).first()
        return reverse("admin:customers_duplicatepair_change", args=[key]) if key else ""


def _customers(request: HttpRequest, pair: DuplicatePair) -> list[Customer]:
    """The two as this person may see them, in the pair's order; fewer when they are one already."""
    rows = {
        one.pk: one for one in Customer.objects.shown_to(request.user).filter(profiles__in=(pair.low_id, pair.high_id))
    }
    return [rows[key] for key in dict.fromkeys((pair.low.customer_id, pair.high.customer_id)) if key in rows]


def _badge(pair: DuplicatePair) -> SafeString:
    return badge(pair.get_state_display(), _STATES.get(pair.state, ""))


def _uuid(text: str | None) -> Any:
    try:
        return Brand._meta.pk.to_python(text)
    except ValidationError:
        return None
