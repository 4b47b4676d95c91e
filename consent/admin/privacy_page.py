"""The page of one privacy request: where it stands, what can be done with it, and doing that."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from consent.models import Erasure, PrivacyArchive, PrivacyRequest, PrivacyStep
from consent.privacy import carry_out, due, laws, requests
from customers import personal
from customers.models import Customer, ProfileBrand
from customers.privacy import erase
from customers.privacy.subject import Subject
from customers.visibility import beside, sight_of

_State = PrivacyRequest.State
_HANDED_OUT: Final = (PrivacyRequest.Kind.ACCESS, PrivacyRequest.Kind.PORTABILITY)
# An objection is to what its brand sends; what is mended is mended by whoever told it.
_OF_ALL_BRANDS: Final = (*_HANDED_OUT, PrivacyRequest.Kind.ERASURE, PrivacyRequest.Kind.RESTRICTION)
Told = tuple[str, int]


def page_of(row: PrivacyRequest, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the page shows; what an erasure would take is counted on demand, as it looks through everything."""
    is_hidden = personal.is_masked(row)
    subject = requests.subject_of(row) if row.subject and not is_hidden else Subject()
    may = request.user.has_perm("consent.carry_out_privacyrequest") and not is_hidden
    archive = PrivacyArchive.objects.filter(request=row).first()
    steps: QuerySet[PrivacyStep] = beside(row, PrivacyStep).filter(request=row).select_related("by")
    preview = erase.preview(subject) if may and "preview" in request.GET and not row.is_over else None
    return {
        "asked": row,
        "names": [one[3] for one in row.subject if isinstance(one, list) and len(one) == 4],
        "is_hidden": is_hidden,
        "customers": Customer.objects.shown_to(request.user).filter(pk__in=subject.customers),
        "others": len(subject.shared_names) + len(subject.shared_addresses),
        "subject": subject,
        "seen": _seen(subject),
        "days": due.days_left(row, now),
        "needed": PrivacyRequest.Assurance(laws.LEAST[row.kind]).label,
        "is_sure": row.assurance >= laws.LEAST[row.kind],
        "assurances": PrivacyRequest.Assurance.choices[1:],
        "reasons": laws.reasons(row.law, row.kind).items(),
        "refusal": laws.reason_words(row.law, row.refusal) if row.refusal else "",
        "steps": steps,
        "may_work": may,
        "may_download": request.user.has_perm("consent.download_privacyrequest") and not is_hidden,
        "archive": archive,
        "has_file": archive is not None and archive.removed_at is None and archive.expires_at > now,
        "erasure": Erasure.objects.filter(request=row).select_related("by").first(),
        "is_handed_out": row.kind in _HANDED_OUT,
        "is_standing": row.restrictions.filter(lifted_at=None).exists(),
        "preview": preview,
        "preview_total": sum(count for _store, count in preview or ()),
        "now": now,
    }


def _seen(subject: Subject) -> str:
    """What stands in the form for the people who are shown beside it."""
    return sha256(",".join(map(str, subject.profiles)).encode()).hexdigest()


def act(row: PrivacyRequest, request: HttpRequest, now: datetime) -> Told:
    """Do what a button of the page asks for; what to tell of it."""
    choice, note = request.POST.get("choice", ""), request.POST.get("note", "")[:4000].replace("\x00", " ")
    try:
        return _DOES[choice](row, request, now, note) if choice in _DOES else _nothing()
    except requests.NotNow:
        return _("Nothing was done: the request has gone on meanwhile."), messages.WARNING
    except requests.NotSure:
        return _("Nothing was done: who asks was not checked well enough for this."), messages.ERROR
    except requests.NotAllowed:
        return _("Nothing was done: this law gives no such reason."), messages.ERROR
    except requests.NobodyKnown:
        return _("Nothing was done: nobody goes by these names."), messages.WARNING


def _nothing() -> Told:
    return _("Nothing was done."), messages.WARNING


def _verify(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    given = request.POST.get("assurance", "")
    if given not in {str(value) for value in PrivacyRequest.Assurance.values[1:]}:
        return _nothing()
    requests.verify(row, int(given), now, request.user, note)
    return _("How the identity was checked is noted."), messages.SUCCESS


def _refuse(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    requests.refuse(row, request.POST.get("reason", ""), now, request.user, note)
    return _("The request is refused. Tell the person why, and where they can complain."), messages.SUCCESS


def _carry_out(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    subject = requests.subject_of(row)
    if row.kind == PrivacyRequest.Kind.ERASURE and request.POST.get("seen") != _seen(subject):
        return _(
            "Nothing was done: look at what will go first. Who it is may have changed meanwhile."
        ), messages.WARNING
    if row.kind in _OF_ALL_BRANDS and not reads_everywhere(request, row):
        return _("Nothing was done: the person is known in brands whose personal data you do not read."), messages.ERROR
    carry_out.carry_out(row, now, request.user, shown=subject.profiles)
    if row.is_over:
        return _("It is done."), messages.SUCCESS
    if row.kind == PrivacyRequest.Kind.CORRECTION:
        return _("Have what is wrong mended by whoever told it, then say that it is done."), messages.INFO
    return _("A job does it; this page says how far it is."), messages.SUCCESS


def reads_everywhere(request: HttpRequest, row: PrivacyRequest) -> bool:
    """What is erased, handed out or restricted is the whole person, in every brand."""
    sight, subject = sight_of(request.user), requests.subject_of(row)
    seen_in = ProfileBrand.objects.filter(profile_id__in=subject.profiles).values_list("brand_id", flat=True).distinct()
    return all(sight.reads(brand) for brand in seen_in)


def _hand_over(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    if row.kind == PrivacyRequest.Kind.ERASURE:
        return _nothing()
    carry_out.hand_over(row, now, request.user, note)
    return _("It is done."), messages.SUCCESS


def _lift(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    return (_("The restriction is lifted."), messages.SUCCESS) if carry_out.lift(row, now, request.user) else _nothing()


def _remark(row: PrivacyRequest, request: HttpRequest, now: datetime, note: str) -> Told:
    if not note.strip():
        return _nothing()
    requests.remark(row, note, now, request.user)
    return _("The note is kept."), messages.SUCCESS


_DOES: Final = {
    "verify": _verify,
    "refuse": _refuse,
    "carry_out": _carry_out,
    "hand_over": _hand_over,
    "lift": _lift,
    "remark": _remark,
}
