"""Who a customer is, and changing that: merging with another, taking apart, and what speaks for and against."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import audit, clock, merging
from customers.admin.compared import named
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.merging.decide import NothingToSplit, customers_of, decision
from customers.merging.known import edges_of, history_of
from customers.models import Customer, Identifier, ProfileBrand
from customers.search import rows_by

MERGE: Final = "customers.merge_customer"
_FOUND: Final = 10
_SHOWN: Final = 200
_SEARCHED: Final = ("id", "profiles__identifier__value", "profiles__addresses__address__value")


def page(admin: Any, request: HttpRequest, customer: Customer) -> HttpResponse:
    if request.method == "POST":
        return _act(admin, request, customer)
    return _draw(admin, request, customer)


def may_merge(request: HttpRequest, *customers: UUID) -> bool:
    """Only who reads all of them decides about them."""
    readable = Customer.objects.personal_to(request.user).filter(pk__in=customers)
    return request.user.has_perm(MERGE) and readable.count() == len(set(customers))


def _draw(admin: Any, request: HttpRequest, customer: Customer) -> HttpResponse:
    identifiers = _identifiers(request, customer)
    may = may_merge(request, customer.pk)
    sought = request.GET.get("with", "").strip()
    out = _chosen(request.GET.getlist("out"), identifiers)
    context: dict[str, Any] = {
        "customer": customer,
        "identifiers": [(one, one.profile_id in out) for one in identifiers],
        "shared": [one for one in identifiers if one.shared_at or one.exempt],
        "edges": edges_of(customer, request.user),
        "history": history_of(customer, request.user),
        "may_merge": may,
        "sought": sought,
    }
    if may and sought:
        context["found"] = _found(request, customer, sought)
    if may and out:
        context |= _foreseen_apart(request, customer, out)
    title = gettext("Identity: %(name)s") % {"name": named(customer)}
    return drawn(admin, request, customer, "admin/customers/identity.html", title, **context)


def _found(request: HttpRequest, customer: Customer, sought: str) -> list[dict[str, Any]]:
    """The others whom that value names, each with what a merge would do."""
    keys: set[UUID] = set()
    for name in _SEARCHED:
        values = _values(name, sought)
        if values:
            rows = rows_by(Customer, name, values, request.user)
            keys.update(rows.order_by().values_list("pk", flat=True)[:_FOUND])
    others = (
        Customer.objects.shown_to(request.user)
        .filter(pk__in=keys - {customer.pk})
        .filter(Exists(Identifier.objects.filter(profile__customer_id=OuterRef("pk"))))
        .order_by("pk")[:_FOUND]
    )
    found = []
    for other in others:
        may = may_merge(request, customer.pk, other.pk)
        made = _decision(request, customer)
        foreseen = merging.preview_join(_anchor(customer.pk), _anchor(other.pk), made) if may else None
        found.append({"customer": other, "name": named(other), "may": may, "preview": foreseen})
    return found


def _foreseen_apart(request: HttpRequest, customer: Customer, out: Collection[UUID]) -> dict[str, Any]:
    try:
        return {"apart": merging.preview_split(out, _decision(request, customer)), "out": sorted(out)}
    except NothingToSplit:
        return {"no_line": True}


def _act(admin: Any, request: HttpRequest, customer: Customer) -> HttpResponse:
    done = {"merge": _merge, "split": _split, "exempt": _exempt}.get(request.POST.get("do", ""))
    if done is None or not may_merge(request, customer.pk):
        admin.note_refusal(request, [customer.pk])
        raise PermissionDenied
    # Their key is that of the customer they belong to afterwards.
    stays = done(admin, request, customer)
    return HttpResponseRedirect(reverse("admin:customers_customer_identity", args=[stays]))


def _merge(admin: Any, request: HttpRequest, customer: Customer) -> UUID:
    keys = _values("id", request.POST.get("other", ""))
    if not keys or keys[0] == customer.pk or not may_merge(request, customer.pk, keys[0]):
        admin.note_refusal(request, [customer.pk, *keys])
        raise PermissionDenied
    if not (_is_somebody(customer.pk) and _is_somebody(keys[0])):
        text = gettext("Nothing was done: this was decided meanwhile.")
        admin.message_user(request, text, messages.WARNING)
        return customer.pk
    mine, other = _anchor(customer.pk), _anchor(keys[0])
    merging.join(mine, other, _decision(request, customer))
    homes = customers_of([mine, other])
    if homes[mine] != homes[other]:
        text = gettext("They stay apart: other evidence, or a limit, holds them so.")
        admin.message_user(request, text, messages.WARNING)
        return homes[mine]
    _write(request, "merge", customer, {"with": str(keys[0])})
    admin.message_user(request, gettext("They are one customer now."), messages.SUCCESS)
    return homes[mine]


def _split(admin: Any, request: HttpRequest, customer: Customer) -> UUID:
    out = _chosen(request.POST.getlist("out"), _identifiers(request, customer))
    try:
        moves = merging.split(out, _decision(request, customer)) if out else []
    except NothingToSplit:
        moves = []
    if not moves:
        admin.message_user(request, gettext("Nothing was done: there is no line to cut along."), messages.WARNING)
        return customer.pk
    _write(request, "take_apart", customer, {"out": sorted(map(str, out))})
    admin.message_user(request, gettext("They are two customers now."), messages.SUCCESS)
    return customer.pk


def _exempt(admin: Any, request: HttpRequest, customer: Customer) -> UUID:
    for profile in _chosen(request.POST.getlist("profile"), _identifiers(request, customer)):
        merging.exempt(profile, _decision(request, customer))
        _write(request, "exempt", customer, {"profile": str(profile)})
        admin.message_user(request, gettext("It joins again, however many it is seen with."), messages.SUCCESS)
        return customers_of([profile])[profile]
    return customer.pk


def _write(request: HttpRequest, action: str, customer: Customer, after: dict[str, Any]) -> None:
    audit.record(request.user, action, customer, None, after, now=clock.utcnow())


def _identifiers(request: HttpRequest, customer: Customer) -> list[Identifier]:
    rows = Identifier.objects.shown_to(request.user).filter(profile__customer_id=customer.pk)
    return list(rows.select_related("kind").order_by("kind__rank", "pk")[:_SHOWN])


def _chosen(given: Collection[str], identifiers: Collection[Identifier]) -> set[UUID]:
    """Of what was asked for, the profiles of this customer that may be seen."""
    return {one.profile_id for one in identifiers if str(one.profile_id) in set(given)}


def _is_somebody(customer: UUID) -> bool:
    """Whether anything is known by this customer still: what was merged away is nobody."""
    return Identifier.objects.filter(profile__customer_id=customer).exists()


def _anchor(customer: UUID) -> UUID:
    """Any of a customer's profiles speaks for all of them."""
    return (
        Identifier.objects.filter(profile__customer_id=customer)
        .order_by("profile_id")
        .values_list("profile_id", flat=True)[0]
    )


def _decision(request: HttpRequest, customer: Customer) -> merging.Decision:
    seen = ProfileBrand.objects.visible_to(request.user).filter(profile__customer_id=customer.pk)
    brand = seen.order_by("first_seen_at", "brand_id").values_list("brand_id", flat=True)[0]
    return decision(brand, request.user, "customer page", clock.utcnow())


def _values(name: str, text: str) -> list[Any]:
    if name != "id":
        return sorted({text, text.lower()})
    try:
        return [Customer._meta.pk.to_python(text)] if text else []
    except ValidationError:
        return []


add_page(Customer, ExtraPage("identity", _("Merge, take apart"), page))
