"""The roles of the staff as groups: what kind of thing people may do at all.

Where they may do it is another question, answered by the brands and squads they have been given. Nobody's role
writes to the ledgers: events, consent, messages, runs and the audit trail are read.
"""

from collections.abc import Iterable
from typing import Any, Final

_OWNERS = "customers: brand squad squadmember"
_SENSE = (
    "customers: identifierkind customer profile identifier edge profilemove address trait traitdefinition event"
    " eventpayload job"
)
_DOORS = (
    "customers: source eventtype schemaversion sourceeventtype quarantinedevent import refusedrow hourtally hook"
    " receivedbody"
)
_SEGMENTS = "customers: segment segmentversion segmentmembership segmentsize segmentinput segmentitem segmentturn"
_PAIRS = "customers: duplicatepair"
_CONSENT = (
    "consent: purpose purposetext notice noticeversion noticetext consentchain consententry consentevidence consenthead"
    " suppression confirmation pause preference"
)
_PRIVACY = "consent: privacyrequest privacystep privacyarchive erasure restriction"
_ACT = (
    "channels: connector template templateversion templatetext message messagecontent sendstop webhookendpoint"
    " webhookdelivery webhookattempt pacingpolicy pushsubscription entitlement entitlemententry task"
    " campaign campaignmember seedlist seed testsend broadcast broadcastmove broadcastrecipient"
)
_PRODUCTS = "channels: product producttext recommending coview alsoviewed"
_BACK = "channels: conversation inbound receipt providercallback connectorstate connectorhour breakerturn"
_CONTENT = (
    "channels: contentblock contentblockversion contentblocktext blockuse image imagealt imageuse pulledhost"
    " pulledsource approval approvallist"
)
_WRITES_CONTENT = "channels: contentblock contentblockversion contentblocktext image imagealt pulledsource"
_SCREENS = "channels: inappitem webslot webslottext webplacement"
_DECIDE = (
    "journeys: journey journeyversion draftrevision journeymap mapstage mapchannel touchpoint placedstep maprevision"
    " run runcontext entryrefusal call callcontent"
)
_MAPS = "journeys: journeymap mapstage mapchannel touchpoint placedstep"
_LOOK = ("view",)
_WRITE = ("add", "change")

# Role, then what it does with which models; `view` of whatever it writes goes without saying.
ROLES: Final[dict[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "marketer": (
        *((_LOOK, models) for models in (_OWNERS, _SENSE, _PAIRS, _SEGMENTS, _DOORS, _CONSENT, _ACT, _BACK, _DECIDE)),
        (_LOOK, _PRIVACY),
        (_LOOK, _SCREENS),
        (_LOOK, _PRODUCTS),
        (_WRITE, "channels: product producttext recommending"),
        (("delete",), "channels: producttext recommending"),
        (_LOOK, _CONTENT),
        (_WRITE, _WRITES_CONTENT),
        (("delete",), "channels: image imagealt"),
        # For who manages the brand.
        (("add", "change", "delete"), "channels: pulledhost"),
        (("merge",), "customers: customer"),
        (("change",), _PAIRS),
        # These are for who manages the brand besides.
        (("change",), "customers: brand"),
        (_WRITE, "customers: squad squadmember"),
        (("delete",), "customers: squadmember"),
        (_WRITE, "customers: eventtype schemaversion"),
        (("approve",), "customers: schemaversion"),
        (("change",), "customers: quarantinedevent receivedbody job"),
        (("change",), "channels: conversation providercallback"),
        (("reconcile",), "channels: message"),
        (_WRITE, "channels: entitlement"),
        (("change",), "channels: task"),
        (_WRITE, "customers: hook import"),
        (_WRITE, "channels: webhookendpoint"),
        # To have it told once more.
        (("change",), "channels: webhookdelivery"),
        (_WRITE, "consent: purpose purposetext notice noticeversion noticetext"),
        (_WRITE, "channels: template templateversion templatetext sendstop pacingpolicy webslot webslottext"),
        (_WRITE, "channels: campaign campaignmember seedlist seed"),
        (("delete",), "channels: seed seedlist"),
        (("add",), "channels: testsend"),
        (_WRITE, "channels: broadcast"),
        (("send",), "channels: broadcast"),
        (_WRITE, "customers: segment"),
        (_WRITE, "journeys: journey"),
        (("publish",), "journeys: journey"),
        (_WRITE, _MAPS),
    ),
    "squad member": (
        *((_LOOK, models) for models in (_OWNERS, _SENSE, _SEGMENTS, _DOORS, _CONSENT, _ACT, _BACK, _DECIDE)),
        (_LOOK, _SCREENS),
        (_LOOK, _PRODUCTS),
        (_LOOK, _CONTENT),
        (_WRITE, _WRITES_CONTENT),
        (("delete",), "channels: image imagealt"),
        (_WRITE, "customers: segment"),
        (_WRITE, "channels: template templateversion templatetext sendstop webslot webslottext"),
        (_WRITE, "channels: campaign campaignmember seedlist seed"),
        (("delete",), "channels: seed seedlist"),
        (("add",), "channels: testsend"),
        (_WRITE, "channels: broadcast"),
        (("change",), "channels: task"),
        (_WRITE, "journeys: journey"),
        (_WRITE, _MAPS),
    ),
    "agent": (
        *((_LOOK, models) for models in (_OWNERS, _SENSE, _PAIRS, _SEGMENTS, _CONSENT)),
        # Who speaks with people learns that two of them are one.
        (("merge",), "customers: customer"),
        (("change",), _PAIRS),
        (_LOOK, "channels: connector template templateversion templatetext message messagecontent"),
        (_LOOK, _CONTENT),
        (_LOOK, "channels: conversation inbound receipt inappitem webplacement entitlement entitlemententry task"),
        # Who speaks with people makes good what went wrong.
        (_WRITE, "channels: entitlement"),
        (("change",), "channels: task"),
        (("change",), "channels: conversation"),
        (("reconcile",), "channels: message"),
        (_LOOK, "journeys: journey journeyversion run runcontext entryrefusal call callcontent"),
        (_WRITE, "consent: suppression"),
        (("withdraw",), "consent: consenthead"),
        # Who speaks with people takes down what they ask; another sees to it.
        (_LOOK, _PRIVACY),
        (("add",), "consent: privacyrequest"),
    ),
    "privacy officer": (
        *(
            (_LOOK, models)
            for models in (_OWNERS, _SENSE, _PAIRS, _SEGMENTS, _DOORS, _CONSENT, _PRIVACY, _ACT, _BACK, _DECIDE)
        ),
        (_LOOK, _SCREENS),
        (_LOOK, _CONTENT),
        (_LOOK, "customers: auditentry deadletter erasedsubject erasedaddress retentionrule retentionrecord"),
        (("merge",), "customers: customer"),
        (("add", "carry_out", "download"), "consent: privacyrequest"),
        (_WRITE, "consent: suppression"),
        (("withdraw",), "consent: consenthead"),
    ),
    # Everything there is to see, below; nothing to change.
    "auditor": (),
}
SEEN_BY_AUDITORS: Final = ("customers", "consent", "channels", "journeys", "analytics", "django_celery_beat")
# What only log-in itself has use for.
_NOBODYS: Final = frozenset({"authenticator", "recoverycode", "loginbackoff", "keptanswer"})


def permissions_of(role: str) -> set[tuple[str, str]]:
    """(app, codename) of all that a role declares by name."""
    return {
        (app, f"{verb}_{model}")
        for verbs, models in ROLES[role]
        for app, _colon, names in [models.partition(":")]
        for model in names.split()
        for verb in verbs
    }


def seed(permissions: Any, groups: Any) -> None:
    """Give each role what it declares; what else an administrator has given it, it keeps."""
    everything = list(permissions.objects.select_related("content_type"))
    by_name = {(one.content_type.app_label, one.codename): one for one in everything}
    for role in ROLES:
        group, _made = groups.objects.get_or_create(name=role)
        group.permissions.add(*(by_name[name] for name in sorted(permissions_of(role))))
    auditors = groups.objects.get(name="auditor")
    auditors.permissions.add(*_to_see(everything))


def _to_see(everything: Iterable[Any]) -> list[Any]:
    return [
        one
        for one in everything
        if one.content_type.app_label in SEEN_BY_AUDITORS
        and one.codename.startswith("view_")
        and one.codename.removeprefix("view_") == one.content_type.model
        and one.content_type.model not in _NOBODYS
    ]
