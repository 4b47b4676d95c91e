"""A customer's consents: how each stands and what proves it, the four tests, what they chose, and all that was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from consent import four_tests, staff
from consent.current import Standing, standings
from consent.four_tests import Case, Result
from consent.jurisdiction import BASIS_ELSEWHERE, NOT_INFORMED, TOO_YOUNG
from consent.models import ConsentEntry, ConsentEvidence, NoticeText, Pause, Preference, Purpose, State
from consent.pausing import SPANS
from customers import audit, clock
from customers.admin.compared import named
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.ids import NIL
from customers.models import Address, Brand, Customer
from customers.visibility import visible_brands

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MAY: Final = "consent.withdraw_consenthead"
# More than a person reads; the ledger's own list has them all.
_ENTRIES: Final = 200
_REASON: Final = 500
# Why not, as permission tells it.
_REFUSED: Final[dict[str, "_StrOrPromise"]] = {
    "no_consent": _("no consent"),
    "withdrawn": _("consent withdrawn"),
    "consent_expired": _("consent expired"),
    TOO_YOUNG: _("too young to agree when they did, and no parent did"),
    BASIS_ELSEWHERE: _("its legal basis is none under the law the person is under"),
    NOT_INFORMED: _("which notice was shown is not known, as the law the person is under asks"),
    "consent_unsettled": _("a consent of the person could not be applied yet"),
    "suppressed": _("address suppressed"),
    "restricted": _("the person had processing restricted"),
    "paused": _("the person has paused messages"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A consent in force as the page tells it."""

    standing: Standing
    address: Address | None
    tests: Sequence[Result]

    @property
    def refused(self) -> "_StrOrPromise":
        reason = self.standing.verdict.reason
        return _REFUSED.get(reason, reason)


def page(admin: Any, request: HttpRequest, customer: Customer) -> HttpResponse:
    if request.method == "POST":
        return _act(request, customer)
    brands = list(visible_brands(request.user))
    now = clock.utcnow()
    entries = _entries(request, customer)
    held = {brand: standings(customer.pk, brand.pk, now) for brand in brands}
    shown = _addresses(request, customer, [entry.address_id for entry in entries])
    evidence = _evidence(request, [*entries, *(one.entry for rows in held.values() for one in rows)])
    title = gettext("Consent: %(name)s") % {"name": named(customer)}
    return drawn(
        admin, request, customer, "admin/consent/person.html", title,
        customer=customer,
        brands=[
            {
                "brand": brand,
                "rows": [Row(one, shown.get(one.address.pk), _judged(one, evidence, now)) for one in rows],
                "purposes": list(Purpose.objects.filter(brand=brand).exclude(kind=Purpose.Kind.LEGAL)),
                "pauses": [one for one in _pauses(customer, brand) if one.until > now],
                "preferences": list(Preference.objects.filter(brand=brand, address__in=shown)),
            }
            for brand, rows in held.items()
            if rows or customer_is_of(customer, brand)
        ],
        entries=[(one, shown.get(one.address_id), evidence.get(one.pk)) for one in entries],
        may=may_act(request, customer),
        spans=[("1w", _("1 week")), ("1m", _("1 month")), ("3m", _("3 months"))],
    )  # fmt: skip


def may_act(request: HttpRequest, customer: Customer) -> bool:
    """Who speaks for somebody knows who they are: only who reads the person's data withdraws for them."""
    return request.user.has_perm(MAY) and Customer.objects.personal_to(request.user).filter(pk=customer.pk).exists()


def customer_is_of(customer: Customer, brand: Brand) -> bool:
    return customer.profiles.filter(brands__brand=brand).exists()


def _act(request: HttpRequest, customer: Customer) -> HttpResponse:
    brand = visible_brands(request.user).filter(pk=_uuid(request.POST.get("brand", "")) or NIL).first()
    if brand is None or not may_act(request, customer):
        audit.record(_actor(request), "refused", customer, None, {"path": request.path[:200]}, now=clock.utcnow())
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip().replace("\0", "")[:_REASON]
    if not reason:
        messages.error(request, gettext("Say how and when the person asked for it: that is the proof."))
    elif request.POST.get("do") == "pause" and request.POST.get("span") in SPANS:
        _pause(request, customer, brand, reason)
    elif request.POST.get("do") == "withdraw":
        _withdraw(request, customer, brand, reason)
    return HttpResponseRedirect(request.path)


def _withdraw(request: HttpRequest, customer: Customer, brand: Brand, reason: str) -> None:
    keys = [key for one in request.POST.getlist("purpose") if (key := _uuid(one)) is not None]
    purposes = list(Purpose.objects.filter(brand=brand, pk__in=keys).order_by("pk"))
    now = clock.utcnow()
    evidence = {"reason": reason, "staff": str(request.user.pk)}
    made = staff.withdraw_for(customer, purposes, evidence, now)
    told = {"purposes": [one.key for one in purposes], "entries": made}
    audit.record(_actor(request), "withdraw_consent", customer, None, told, brand=brand, now=now)
    text = ngettext("%(n)s entry was added to the ledger.", "%(n)s entries were added to the ledger.", len(made))
    messages.success(request, text % {"n": len(made)})


def _pause(request: HttpRequest, customer: Customer, brand: Brand, reason: str) -> None:
    now = clock.utcnow()
    until = staff.pause_for(customer, brand, request.POST["span"], now)
    # Why is personal to the customer, and the trail keeps nothing that would have to be erased.
    told = {"until": until.isoformat(), "reason_given": bool(reason)}
    audit.record(_actor(request), "pause_messages", customer, None, told, brand=brand, now=now)
    messages.success(request, gettext("They are left in peace until %(day)s.") % {"day": until.date().isoformat()})


def _entries(request: HttpRequest, customer: Customer) -> list[ConsentEntry]:
    theirs = Q(profile__customer=customer) | Q(profile__isnull=True, address__profiles__profile__customer=customer)
    seen = ConsentEntry.objects.visible_to(request.user).filter(theirs).distinct().order_by("-pk")
    return list(seen.select_related("purpose", "source", "notice_version__notice")[:_ENTRIES])


def _addresses(request: HttpRequest, customer: Customer, others: Sequence[UUID]) -> dict[UUID, Address]:
    """As this person may see them."""
    theirs = Q(profiles__profile__customer=customer) | Q(pk__in=others)
    return {one.pk: one for one in Address.objects.shown_to(request.user).filter(theirs).distinct()}


def _evidence(request: HttpRequest, entries: Sequence[ConsentEntry]) -> dict[int, dict[str, Any]]:
    kept = ConsentEvidence.objects.shown_to(request.user).filter(pk__in=[one.pk for one in entries])
    return {one.pk: one.fields for one in kept}


def _judged(standing: Standing, evidence: dict[int, dict[str, Any]], now: Any) -> Sequence[Result]:
    entry = standing.entry
    if not four_tests.applies(entry):
        return ()
    fields = evidence.get(entry.pk)
    names = None if fields is None else frozenset(fields) if isinstance(fields, dict) else frozenset()
    return four_tests.judge(Case(entry, _words(entry), names, _granted_with(entry)), now)


def _words(entry: ConsentEntry) -> NoticeText | None:
    version = entry.notice_version
    return version.words(entry.language, entry.brand.locale) if version is not None else None


def _granted_with(entry: ConsentEntry) -> int:
    """Other purposes that the same message of the same source granted."""
    if not entry.message_id or entry.source_id is None:
        return 0
    same = ConsentEntry.objects.filter(
        address=entry.address_id, source=entry.source_id, message_id=entry.message_id, state__in=State.permitting()
    )
    return same.exclude(purpose=entry.purpose_id).order_by().values("purpose").distinct().count()


def _pauses(customer: Customer, brand: Brand) -> list[Pause]:
    theirs = Q(address__profiles__profile__customer=customer) | Q(address__in=customer.profiles.order_by().values("pk"))
    return list(Pause.objects.filter(theirs, brand=brand, ended_at__isnull=True).distinct().order_by("-until"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _actor(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


add_page(Customer, ExtraPage("consent", _("Consent and preferences"), page))
