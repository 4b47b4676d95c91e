"""What an event says about consent, read strictly where it grants and leniently where it withdraws.

A grant whose details cannot be read is refused: it would prove nothing. A withdrawal is never lost over its
details: those that cannot be read are left out, and the evidence names them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent.addresses import Place
from consent.jurisdiction import is_known_basis, is_known_place
from consent.models import EARLIEST, LATEST, Method, State
from customers.identifiers import IdentifierError, scheme
from customers.kinds import EMAIL
from customers.models.address import MOST_VALUE, Channel

PREFERENCES = "Segment Consent Preference Updated"
GRANTED = "consent.granted"
WITHDRAWN = "consent.withdrawn"
# Consent is to be asked for by a mail that confirms it.
REQUESTED = "consent.requested"
NAMES = frozenset({PREFERENCES, GRANTED, WITHDRAWN, REQUESTED})

# Plain columns of the ledger and their lengths. What is no code could name somebody, and a chain lets go of nothing: it
# is evidence then.
_TEXTS = {"language": 20, "legal_basis": 64, "jurisdiction": 8}
# And those of which only so many are known.
_KNOWN = {
    "legal_basis": (
        is_known_basis,
        "No basis that is known. Name a law and its article, as in lgpd:7:I, gdpr:6:1:a, app:7:3:b or spam-act:16:2.",
    ),
    "jurisdiction": (
        is_known_place,
        "No jurisdiction that is known. Name a country by its two letters (ISO 3166: BR), a part of one (BR-SP), EU, "
        "or a law (lgpd).",
    ),
}
_CODE = re.compile(r"(?:(?!\d{8})[\w .:;,()/§-])*")
# Tokens and endpoints: printable ASCII, and no mailbox.
_DEVICE = re.compile(r"[!-?A-~]+")
_COLLECTOR = "collector"
_MAX_COLLECTOR = 200
# Personal ones, kept as evidence, and where a client's own context holds them.
_EVIDENCE = {"url": ("page", "url"), "ip": ("ip",), "user_agent": ("userAgent",), "text": ("consent", "text")}
_MAX_EVIDENCE = 2_000
# What proves a grant cannot be claimed by just any word of a partner, and by none of a web page.
_CLAIMABLE = {Method.LOGIN.value, Method.DOUBLE_OPT_IN.value, Method.IMPORT.value}


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    pointer: str
    detail: str


@dataclass(slots=True)
class Details:
    """All that surrounds the answer itself; `place` None means the person."""

    place: Place | None = None
    method: str = Method.EVENT.value
    notice: str = ""
    notice_version: int | None = None
    valid_until: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """One consent to be applied: `body` is what the queue keeps of it."""

    place: Place | None
    original: str
    body: dict[str, Any]


def read(
    name: str, payload: Mapping[str, Any], identifiers: tuple[tuple[str, str], ...], *, is_claim: bool = False
) -> tuple[list[Request], list[Problem]]:
    """The consents in an event of one of NAMES, and what had to be refused; a claim proves nothing by itself."""
    properties, context = _mapping(payload.get("properties")), _mapping(payload.get("context"))
    if name == REQUESTED:
        return _asked(properties, context, identifiers, is_claim)
    answers, refused = _answers(name, properties, context)
    if not answers:
        return [], refused
    details = _details(properties, context, identifiers, is_claim=is_claim)
    if any(answers.values()):
        refused += details.problems
    proper = [answer for answer in answers.items() if not (answer[1] and details.problems)]
    return [_request(purpose, granted, details) for purpose, granted in proper], refused


def _asked(
    properties: Mapping[str, Any],
    context: Mapping[str, Any],
    identifiers: tuple[tuple[str, str], ...],
    is_claim: bool,
) -> tuple[list[Request], list[Problem]]:
    """A request, read as strictly as the grant it is to become. It proves nothing by itself, whoever sends it."""
    answers, refused = _answers(REQUESTED, properties, context)
    if not answers:
        return [], refused
    details = _details(properties, context, identifiers, is_claim=True)
    if details.problems:
        return [], details.problems
    if details.place is None or details.place.channel != Channel.EMAIL:
        return [], [Problem("required", "/properties/address", "The e-mail address to be asked is missing.")]
    if not is_claim:
        details.method = Method.EVENT.value
    [purpose] = answers
    request = _request(purpose, granted=False, details=details)
    request.body["state"] = State.REQUESTED.value
    return [request], []


def unread(properties: Mapping[str, Any], identifiers: tuple[tuple[str, str], ...]) -> list[Problem]:
    """The details that cannot be read, which a withdrawal is applied without."""
    return _details(properties, {}, identifiers).problems


def _answers(
    name: str, properties: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[dict[str, bool], list[Problem]]:
    if name == PREFERENCES:
        return _preferences(_mapping(context.get("consent")).get("categoryPreferences"))
    purpose = properties.get("purpose")
    if not isinstance(purpose, str) or not purpose:
        return {}, [Problem("required", "/properties/purpose", "The purpose's key is missing.")]
    return {purpose: name == GRANTED}, []


def _preferences(preferences: object) -> tuple[dict[str, bool], list[Problem]]:
    pointer = "/context/consent/categoryPreferences"
    if not isinstance(preferences, Mapping) or not preferences:
        return {}, [Problem("required", pointer, "An object of purpose keys and true or false is missing.")]
    refused = [
        Problem("wrong_type", f"{pointer}/{key}", "Neither true nor false.")
        for key, value in preferences.items()
        if not isinstance(value, bool)
    ]
    return {key: value for key, value in preferences.items() if isinstance(value, bool)}, refused


def _details(
    properties: Mapping[str, Any],
    context: Mapping[str, Any],
    identifiers: tuple[tuple[str, str], ...],
    *,
    is_claim: bool = False,
) -> Details:
    details = Details()
    _read_place(details, properties.get("channel"), properties.get("address"), identifiers)
    _read_method(details, properties.get("method"), is_claim)
    _read_notice(details, properties.get("notice"), properties.get("notice_version"))
    _read_valid_until(details, properties.get("valid_until"))
    for key, limit in _TEXTS.items():
        if text := _text(details, properties, key, limit):
            is_known, hint = _KNOWN.get(key, (bool, ""))
            if not is_known(text):
                details.problems.append(Problem(f"unknown_{key}", f"/properties/{key}", hint))
                details.evidence[key] = text
                continue
            (details.texts if _CODE.fullmatch(text) else details.evidence)[key] = text
    if text := _text(details, properties, _COLLECTOR, _MAX_COLLECTOR):
        details.evidence[_COLLECTOR] = text
    for key, path in _EVIDENCE.items():
        if text := _text(details, properties, key, _MAX_EVIDENCE) or _at(context, path):
            details.evidence[key] = text
    return details


def _read_place(details: Details, channel: object, named: object, identifiers: tuple[tuple[str, str], ...]) -> None:
    if channel == Channel.PUSH and named is not None:
        _read_device(details, named)
        return
    if named is None:
        email = next((value for kind, value in identifiers if kind == EMAIL), None)
        details.place = Place(Channel.EMAIL.value, email) if email else None
        return
    pointer = "/properties/address"
    if not isinstance(named, str):
        details.problems.append(Problem("wrong_type", pointer, "Not a string."))
        return
    details.evidence["address"] = named[:_MAX_EVIDENCE]
    try:
        value, _original = scheme(EMAIL).read(named)
    except IdentifierError as error:
        details.problems.append(Problem(error.code, pointer, error.message))
        return
    details.place = Place(Channel.EMAIL.value, value)


def _read_device(details: Details, named: object) -> None:
    """A device's token or a browser's endpoint, as the channel has it."""
    if not isinstance(named, str) or len(named) > MOST_VALUE or not _DEVICE.fullmatch(named):
        details.problems.append(Problem("wrong_type", "/properties/address", "Not the address of a device."))
        return
    details.evidence["address"] = named
    details.place = Place(Channel.PUSH.value, named)


def _read_method(details: Details, claimed: object, is_claim: bool) -> None:
    if is_claim:
        details.method = Method.CLAIM.value
    if isinstance(claimed, str) and claimed in _CLAIMABLE and not is_claim:
        details.method = claimed
    elif isinstance(claimed, str):
        details.evidence["claimed_method"] = claimed[:_MAX_EVIDENCE]


def _read_notice(details: Details, notice: object, version: object) -> None:
    if notice is None and version is None:
        return
    number = int(version) if isinstance(version, str) and version.isascii() and version.isdigit() else version
    if not isinstance(notice, str) or not notice:
        details.problems.append(Problem("wrong_type", "/properties/notice", "Not the key of a notice."))
    elif not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        # Without its version a notice does not say which words were shown.
        details.problems.append(Problem("wrong_type", "/properties/notice_version", "Not a version's number."))
    else:
        details.notice, details.notice_version = notice, number


def _read_valid_until(details: Details, value: object) -> None:
    if value is None:
        return
    pointer = "/properties/valid_until"
    try:
        until = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        until = None
    if until is None:
        details.problems.append(Problem("invalid_timestamp", pointer, "Not an ISO 8601 time."))
    elif until.tzinfo is None:
        details.problems.append(Problem("timezone_required", pointer, "The time names no zone."))
    elif (moment := _within_reach(until)) is None:
        detail = f"Not from {EARLIEST.year} to {LATEST.year - 1}; consent without an end has no valid_until."
        details.problems.append(Problem("invalid_timestamp", pointer, detail))
    else:
        details.valid_until = moment.isoformat()


def _within_reach(moment: datetime) -> datetime | None:
    """The moment in UTC, where it can be stored and read back."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if EARLIEST <= utc < LATEST else None


def _text(details: Details, properties: Mapping[str, Any], key: str, limit: int) -> str:
    value = properties.get(key)
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= limit:
        return value
    pointer = f"/properties/{key}"
    if isinstance(value, str):
        details.problems.append(Problem("too_long", pointer, f"More than {limit} characters."))
    else:
        details.problems.append(Problem("wrong_type", pointer, "Not a string."))
    return ""


def _request(purpose: str, granted: bool, details: Details) -> Request:
    evidence = dict(details.evidence)
    if details.problems:
        evidence["left_out"] = ", ".join(problem.pointer.rpartition("/")[2] for problem in details.problems)
    device = {"channel": Channel.PUSH.value} if details.place and details.place.channel == Channel.PUSH else {}
    return Request(
        place=details.place,
        original=evidence.get("address", ""),
        body=device
        | {
            "purpose": purpose,
            "state": (State.GIVEN if granted else State.WITHDRAWN).value,
            "method": details.method,
            "notice": details.notice,
            "notice_version": details.notice_version,
            "valid_until": details.valid_until if granted else None,
            "texts": details.texts,
            "evidence": evidence,
        },
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _at(context: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value: object = context
    for key in path:
        value = _mapping(value).get(key)
    return value[:_MAX_EVIDENCE] if isinstance(value, str) else ""
