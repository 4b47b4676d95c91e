"""The numbers of tasks in hand, for whoever has them: gone from sight once the person says no."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from channels.models import Message, Task
from consent.permission import Ask, permissions
from customers.models import Address, Profile


def numbers(tasks: Sequence[Task], now: datetime) -> dict[UUID, str]:
    """By task, the number of each that is in hand and whose person permits it still."""
    mine = {one.pk: one for one in tasks if one.state == Task.State.CLAIMED and one.address_id is not None}
    if not mine:
        return {}
    purposes = dict(Message.objects.filter(task__in=mine).values_list("task", "purpose_id"))
    whose = {one.profile_id for one in mine.values()}
    people = dict(Profile.objects.filter(pk__in=whose).values_list("pk", "customer_id"))
    asks = {
        id_: Ask(people[one.profile_id], one.address_id, purposes[id_])
        for id_, one in mine.items()
        if one.address_id is not None and people.get(one.profile_id) is not None and id_ in purposes
    }
    verdicts = dict(zip(asks, permissions(list(asks.values()), now), strict=True)) if asks else {}
    allowed = {id_ for id_, verdict in verdicts.items() if verdict.allowed}
    values = dict(Address.objects.filter(pk__in={mine[id_].address_id for id_ in allowed}).values_list("pk", "value"))
    return {id_: values[address] for id_ in allowed if (address := mine[id_].address_id) in values}
