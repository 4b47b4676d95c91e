"""The page of a brand that says who may do what in it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import access, clock
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.models import Brand
from customers.sight import CHANGE, PERSONAL, VIEW

_WORDS = {
    VIEW: _("sees it"),
    PERSONAL: _("reads personal data"),
    CHANGE: _("manages it"),
}


def people(pages: Any, request: HttpRequest, brand: Brand) -> HttpResponse:
    """Only for those who manage the brand: who else works here is no stranger's business."""
    by = request.user
    may = access.grantable(by, brand) if isinstance(by, User) else frozenset()
    if not isinstance(by, User) or not may:
        raise PermissionDenied
    if request.method == "POST":
        _change(request, brand, by)
        return HttpResponseRedirect(request.path)
    return drawn(
        pages,
        request,
        brand,
        "admin/customers/people.html",
        _("People"),
        people=[_row(one, may, by) for one in access.people_of(brand)],
        rights=_choices(frozenset({VIEW}), may),
    )


def _change(request: HttpRequest, brand: Brand, by: User) -> None:
    wanted = request.POST.getlist("rights")
    try:
        person = access.find(request.POST.get("person", "").strip()[:150])
        changed = access.set_rights(brand, person, wanted, by=by, now=clock.utcnow())
    except access.NobodyThere:
        messages.error(request, gettext("No member of the staff goes by that user name."))
    except access.NotYours:
        messages.error(request, gettext("These rights are not yours to give or to take away."))
    else:
        text = gettext("Saved.") if changed else gettext("Nothing was to be changed.")
        messages.success(request, text)


def _row(one: access.Access, may: frozenset[str], by: User) -> dict[str, Any]:
    own = one.user.pk == by.pk and not by.is_superuser
    return {
        "person": one.user,
        "squads": ", ".join(one.squads),
        "rights": _choices(one.rights, frozenset() if own else may),
        "changeable": not own,
    }


def _choices(given: frozenset[str], may: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {"value": right, "words": words, "given": right in given, "may": right in may}
        for right, words in _WORDS.items()
    ]


add_page(Brand, ExtraPage("people", _("People"), people))
