"""Two customers side by side, comparison by comparison: what agrees, how much it says, and the values themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.duplicates import model
from customers.duplicates.records import KINDS, values
from customers.models import Customer, Identifier
from customers.visibility import beside

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_LABELS: Final[dict[str, "_StrOrPromise"]] = {
    model.NAMES: _("name"),
    model.BIRTH_DATE: _("birth date"),
    model.STREET: _("street"),
    model.CITY: _("city"),
    model.POSTCODE: _("postcode"),
    model.EMAIL: _("e-mail"),
    model.PHONE: _("phone"),
    model.TAX_ID: _("tax id"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """`weight` is in bits: each halves, or doubles, the odds that they are two."""

    label: "_StrOrPromise"
    weight: float
    word: "_StrOrPromise"
    tone: str
    values: tuple[str, ...]
    is_close: bool


def agreements(evidence: Iterable[dict[str, Any]], *customers: Customer) -> list[Compared]:
    """What is known of neither side is left out."""
    known = [values(one.traits, _identifiers(one)) for one in customers]
    return [_compared(one, known) for one in evidence if one["on"] in _LABELS and (one["level"] >= 0 or customers)]


def named(customer: Customer) -> str:
    """As the person calls themselves, masked where personal data is."""
    said = values(customer.traits, {})
    name = " ".join(said[part] for part in (model.FIRST_NAME, model.LAST_NAME) if part in said)
    return name or said.get(model.EMAIL) or gettext("no name known")


def _compared(one: dict[str, Any], known: Sequence[dict[str, str]]) -> Compared:
    columns = model.READS[one["on"]]
    shown = tuple(" ".join(told[name] for name in columns if name in told) for told in known)
    word, tone = _word(int(one["level"]), int(one["of"]))
    return Compared(_LABELS[one["on"]], float(one["weight"]), word, tone, shown, 2 * one["level"] >= one["of"])


def _word(level: int, of: int) -> tuple["_StrOrPromise", str]:
    if level < 0:
        return pgettext_lazy("comparison", "not known"), ""
    if level == of:
        return pgettext_lazy("comparison", "the same"), "good"
    if level == 0:
        return pgettext_lazy("comparison", "different"), "bad"
    return pgettext_lazy("comparison", "alike"), "info"


def _identifiers(customer: Customer) -> dict[str, str]:
    """The oldest open one of each kind, as the search reads them."""
    rows = beside(customer, Identifier).filter(
        profile__customer=customer, closed_at=None, shared_at=None, kind__in=list(KINDS)
    )
    found: dict[str, str] = {}
    for row in rows.order_by("opened_at", "pk"):
        found.setdefault(row.kind_id, row.original)
    return found
