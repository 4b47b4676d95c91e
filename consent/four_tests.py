"""The four tests of a consent (informed, specific, current, voluntary): what proves each, and what is missing.

They are those of the Australian guidelines (OAIC, ch. B); the Brazilian and European laws ask the same in other words.
What is missing makes no consent void by itself; it says what could not be shown if somebody asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.models import ConsentEntry, Method, NoticeText, State

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# Without an end of its own, a consent older than this is no longer surely what the person wants.
OLD: Final = timedelta(days=730)
_BY_THE_PERSON: Final = frozenset({Method.DOUBLE_OPT_IN, Method.LOGIN, Method.LINK, Method.KEYWORD})
NAMES: Final[dict[str, "_StrOrPromise"]] = {
    "informed": gettext_lazy("Informed"),
    "specific": gettext_lazy("Specific"),
    "current": gettext_lazy("Current"),
    "voluntary": gettext_lazy("Voluntary"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """Passed when something proves it and nothing is missing."""

    test: str
    proofs: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def name(self) -> "_StrOrPromise":
        return NAMES[self.test]

    @property
    def passed(self) -> bool:
        return bool(self.proofs) and not self.missing


@dataclass(frozen=True, slots=True)
class Case:
    """A grant with what was kept beside it."""

    entry: ConsentEntry
    # The words that were shown, where the entry says which; None where it does not, or there are none.
    words: NoticeText | None
    # Names of the fields of its evidence, without their values; None where it was erased.
    evidence: frozenset[str] | None
    # How many other purposes the same act granted.
    granted_with: int


def applies(entry: ConsentEntry) -> bool:
    """Only a grant has to pass them; saying no needs no proof."""
    return entry.state in State.permitting()


def judge(case: Case, now: datetime) -> tuple[Result, ...]:
    return _informed(case), _specific(case), _current(case, now), _voluntary(case)


def _result(test: str, proofs: Sequence[str], missing: Sequence[str]) -> Result:
    return Result(test, tuple(proofs), tuple(missing))


def _informed(case: Case) -> Result:
    entry, words = case.entry, case.words
    if entry.notice_version is None:
        return _result("informed", (), [_("Which notice was shown is not known.")])
    proofs = [_("Shown: %(notice)s.") % {"notice": entry.notice_version}]
    missing = []
    if words is None:
        missing.append(_("The words of that version are not there."))
    else:
        if words.digest:
            proofs.append(_("Its text has the SHA-256 %(digest)s.") % {"digest": bytes(words.digest).hex()})
        if not entry.language:
            missing.append(_("In which language it was shown is not known."))
    if entry.language:
        proofs.append(_("In the language %(language)s.") % {"language": entry.language})
    return _result("informed", proofs, missing)


def _specific(case: Case) -> Result:
    entry = case.entry
    place = _("For the one purpose “%(purpose)s”, by %(channel)s.")
    proofs = [place % {"purpose": entry.purpose.name, "channel": entry.address.get_channel_display()}]
    if entry.legal_basis:
        proofs.append(_("Legal basis: %(basis)s.") % {"basis": entry.legal_basis})
    missing = [] if entry.purpose.description else [_("What the purpose is for is not described.")]
    return _result("specific", proofs, missing)


def _current(case: Case, now: datetime) -> Result:
    entry = case.entry
    until = entry.valid_until
    proofs = [_("Given on %(day)s.") % {"day": entry.effective_at.date().isoformat()}]
    if until is not None and until <= now:
        return _result("current", proofs, [_("It expired on %(day)s.") % {"day": until.date().isoformat()}])
    if until is not None:
        proofs.append(_("Good until %(day)s.") % {"day": until.date().isoformat()})
        return _result("current", proofs, ())
    old = now - entry.effective_at > OLD
    return _result("current", proofs, [_("It has no end, and is older than two years.")] if old else ())


def _voluntary(case: Case) -> Result:
    entry, evidence = case.entry, case.evidence
    proofs, missing = [], []
    if entry.method in _BY_THE_PERSON:
        proofs.append(_("By an act of the person: %(method)s.") % {"method": entry.get_method_display()})
    elif evidence and evidence & {"url", "ip", "user_agent", "text"}:
        kept = ", ".join(sorted(evidence & {"url", "ip", "user_agent", "text"}))
        proofs.append(_("By %(method)s, with what was kept of the act: %(kept)s.") % {
            "method": entry.get_method_display(), "kept": kept,
        })  # fmt: skip
    else:
        text = _("By %(method)s; nothing was kept that shows the person’s own act.")
        missing.append(text % {"method": entry.get_method_display()})
    if evidence is None:
        missing.append(_("The evidence was erased."))
    if case.granted_with:
        text = ngettext(
            "Given together with %(n)s other purpose in one act: bundled.",
            "Given together with %(n)s other purposes in one act: bundled.",
            case.granted_with,
        )
        missing.append(text % {"n": case.granted_with})
    return _result("voluntary", proofs, missing)
