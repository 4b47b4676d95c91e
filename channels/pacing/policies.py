"""Policies as staff set them: made, changed by a new version, ended. What held then can be read for good."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from channels.models import PacingPolicy
from channels.models.pacing import LONGEST_DAYS
from channels.pacing.freeing import free
from channels.pacing.reading import rule_of
from channels.pacing.rules import About, Hours
from consent.models import Purpose
from customers.ids import NIL, hash64, new_id
from customers.moments import NoSuchMoment, days_of
from customers.pg import raw_cursor

_Kind = PacingPolicy.Kind
# What only one kind of policy says.
_OF_CAPS: Final = ("most", "span")
_OF_HOURS: Final = ("starts", "ends")
_MONDAY: Final = datetime(2024, 1, 1)  # noqa: DTZ001  # of no zone: the minutes of any week


class Ended(ValueError):
    """The version was followed by another, or the policy ended, meanwhile."""


def check(policy: PacingPolicy) -> None:
    """Raise ValidationError, by field, for a policy that says too little, or what cannot be."""
    problems = dict(_problems(policy))
    if problems:
        raise ValidationError(problems)
    if policy.kind != _Kind.CAP and not _leaves_something(policy):
        raise ValidationError(_("With the other hours in force nothing could ever be sent."), code="never")


def _problems(policy: PacingPolicy) -> Iterator[tuple[str, str]]:
    is_cap = policy.kind == _Kind.CAP
    for name in _OF_CAPS if is_cap else _OF_HOURS:
        if getattr(policy, name) is None:
            yield name, _("This is needed.")
    if is_cap and policy.length > timedelta(days=LONGEST_DAYS):
        yield "span", _("A cap counts back over %(days)s days at most.") % {"days": LONGEST_DAYS}
    if not is_cap and policy.starts is not None and policy.starts == policy.ends:
        yield "ends", _("Hours that end as they begin are none, or all of the day.")
    try:
        days_of(policy.days)
    except NoSuchMoment:
        yield "days", _("Days are named as in mon-fri or sat,sun.")
    if policy.purpose is not None:
        if policy.purpose.kind == Purpose.Kind.LEGAL:
            yield "purpose", _("What is owed by law is never held back.")
        elif policy.brand_id not in (None, policy.purpose.brand_id):
            yield "purpose", _("This purpose is of another brand.")


def _one_by_one() -> None:
    """Of two that leave no hour together the second must see the first; one of a brand and one of the organisation
    are such as well."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%b)", [hash64("pacing", "policies")])


def _leaves_something(policy: PacingPolicy) -> bool:
    """Whether with the hours in force there is a minute left in the week for each kind of message that it is about."""
    others = PacingPolicy.objects.filter(valid_to=None).exclude(policy_id=policy.policy_id).exclude(kind=_Kind.CAP)
    if policy.brand_id is not None:
        others = others.filter(Q(brand=None) | Q(brand=policy.brand_id))
    rows = [policy, *others.select_related("purpose")]
    hours = [rule for row in rows if isinstance(rule := rule_of(row), Hours)]
    together = {frozenset(one for one in hours if one.scope.covers(about)) for about in _kinds(rows)}
    return all(_open(some) for some in together if hours[0] in some)


def _open(hours: frozenset[Hours]) -> bool:
    week = (_MONDAY + timedelta(minutes=minute) for minute in range(7 * 24 * 60))
    return any(all(one.allow(local) for one in hours) for local in week)


def _kinds(rows: Sequence[PacingPolicy]) -> Iterator[About]:
    """The kinds of message that these policies tell apart: those they name, and one that each leaves unnamed."""
    brands = {NIL, *(row.brand_id for row in rows if row.brand_id)}
    channels = {"", *(row.channel for row in rows)}
    kinds = (Purpose.Kind.MARKETING.value, Purpose.Kind.SERVICE.value)
    for brand, channel, kind in product(brands, channels, kinds):
        yield About(brand, channel, NIL, kind)
    for purpose in {row.purpose for row in rows if row.purpose is not None}:
        for channel in channels:
            yield About(purpose.brand_id, channel, purpose.pk, purpose.kind)


def _tidy(policy: PacingPolicy) -> None:
    """What is of another kind, or said twice, is not kept."""
    if policy.kind == _Kind.CAP:
        policy.starts = policy.ends = None
        policy.days = ""
    else:
        policy.most = policy.span = None
        policy.unit = PacingPolicy.Unit.DAY
    if policy.purpose is not None:
        policy.purpose_kind = ""


def make(policy: PacingPolicy, by: int | None, now: datetime) -> PacingPolicy:
    """Put a new policy in force."""
    _tidy(policy)
    policy.policy_id, policy.number = policy.pk, 1
    policy.author_id, policy.valid_from, policy.valid_to = by, now, None
    with transaction.atomic():
        _one_by_one()
        check(policy)
        policy.save(force_insert=True)
    return policy


def change(policy: PacingPolicy, by: int | None, now: datetime) -> PacingPolicy:
    """Put what `policy` says in force as the next version of what it was read from; that one stays as it was.

    What that one holds is asked about again. Raises Ended if it is in force no more.
    """
    _tidy(policy)
    with transaction.atomic():
        _one_by_one()
        check(policy)
        current = PacingPolicy.objects.select_for_update().filter(pk=policy.pk, valid_to=None).first()
        if current is None:
            raise Ended(policy.pk)
        # A clock that was set back must not have it end before it began.
        at = max(now, current.valid_from)
        PacingPolicy.objects.filter(pk=current.pk).update(valid_to=at)
        policy.pk, policy.number = new_id(), current.number + 1
        policy.policy_id, policy.kind, policy.brand_id = current.policy_id, current.kind, current.brand_id
        policy.author_id, policy.valid_from, policy.valid_to = by, at, None
        policy.save(force_insert=True)
        transaction.on_commit(partial(free, [current.pk], at))
    return policy


def end(policy_id: UUID, now: datetime) -> bool:
    """Put a policy out of force, by the id of any version, and have what it holds asked about again; False if it was
    out of force already."""
    with transaction.atomic():
        current = PacingPolicy.objects.select_for_update().filter(policy_id=policy_id, valid_to=None).first()
        if current is None:
            return False
        at = max(now, current.valid_from)
        PacingPolicy.objects.filter(pk=current.pk).update(valid_to=at)
        transaction.on_commit(partial(free, [current.pk], at))
        return True
