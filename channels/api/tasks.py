"""Tasks for the systems of stores and call centres: listed, claimed, given back and done."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.task_shapes import CompleteBody, TaskShape, TasksShape
from channels.api.webhook_shapes import NothingBody
from channels.models import Task
from channels.worklist import turn
from channels.worklist.asking import NotNow
from channels.worklist.numbers import numbers
from channels.worklist.turn import By, NotYours
from customers import clock
from customers.accept.refusal import Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_text, one_of, one_uuid
from customers.kept_answers import Answer
from customers.models import Profile, Scope
from customers.partner import Partner
from customers.personal import IDENTIFIER, TEXT, mask

_READ, _WRITE = Scope.TASKS_READ.value, Scope.TASKS_WRITE.value
TASKS = Listing(
    "tasks",
    Order("made_at", key=uuid_key),
    {
        "state": one_of(tuple(Task.State.values), "Only those that stand so."),
        "kind": one_of(tuple(Task.Kind.values), "Only those of this kind."),
        "queue": a_text("Only those of this queue."),
    },
)
_NOTHING: Final = OpenApiExample("Nothing to say", {}, request_only=True)


class Tasks(PartnerView):
    """Tasks about customers whom your sources named."""

    scopes = {"GET": _READ}
    parameters = TASKS.parameters()

    @extend_schema(operation_id="list_tasks", summary="Tasks", tags=["tasks"], responses={200: TasksShape})
    def get(self, request: Request) -> HttpResponse:
        rows = Task.objects.visible_to(self.partner)
        rows = rows.filter(**{name: self.given[name] for name in ("state", "kind", "queue") if name in self.given})
        return ok(TASKS.page(rows, self.given, self.partner, lambda page: show_all(page, self.partner)))


class Turn(Writing):
    """What is done to one task."""

    scopes = {"POST": _WRITE}

    def do(self, task: Task, act: Callable[[UUID, By], Any]) -> Answer:
        by = By(token_id=self.partner.token_id)
        try:
            act(task.pk, by)
        except NotNow:
            hint = "Send the same again in a few seconds."
            raise Refused("task_not_now", "Nobody may be called just now.", hint) from None
        except NotYours as error:
            text = "Another has it in hand." if error.state == Task.State.CLAIMED else "It is not in your hand."
            raise Refused("task_not_yours", text, "See its state.") from None
        return answer_of(show_all([Task.objects.get(pk=task.pk)], self.partner)[0])

    def task(self, task_id: str) -> Task:
        found: Task | None = Task.objects.visible_to(self.partner).filter(pk=one_uuid(task_id)).first()
        if found is None:
            raise not_found()
        return found


@extend_schema_view(
    post=extend_schema(
        operation_id="claim_task",
        summary="Claim a task",
        tags=["tasks"],
        request=NothingBody,
        responses={200: TaskShape},
        examples=[_NOTHING],
    )
)
class TaskClaim(Turn):
    """Whether they may be called now is asked anew: read `state` before you call. It is `claimed` and yours, or
    `cancelled` for a `reason`, and then nobody is to be called; or `open` still, for a `reason` such as the hours or
    the cap, and then nobody is to be called before `not_before`. Claiming again what is yours asks again."""

    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        return self.do(self.task(kwargs["task_id"]), lambda id_, by: turn.claim(id_, by, self.now))


@extend_schema_view(
    post=extend_schema(
        operation_id="release_task",
        summary="Give a task back",
        tags=["tasks"],
        request=NothingBody,
        responses={200: TaskShape},
        examples=[_NOTHING],
    )
)
class TaskRelease(Turn):
    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        return self.do(self.task(kwargs["task_id"]), lambda id_, by: turn.release(id_, by, self.now))


@extend_schema_view(
    post=extend_schema(
        operation_id="complete_task",
        summary="Say what came of a task",
        tags=["tasks"],
        request=CompleteBody,
        responses={200: TaskShape},
        examples=[OpenApiExample("Reached", {"outcome": "reached"}, request_only=True)],
    )
)
class TaskComplete(Turn):
    """`wrong_number` has the number called by nobody any more, `no_more` withdraws their consent for it."""

    def answer(self, **kwargs: str) -> Answer:
        asked = CompleteBody.read(self.body())
        outcome, note = Task.Outcome(asked["outcome"]), asked.get("note", "")
        return self.do(self.task(kwargs["task_id"]), lambda id_, by: turn.complete(id_, by, outcome, note, self.now))


def show_all(tasks: list[Task], partner: Partner) -> list[dict[str, Any]]:
    customers = dict(Profile.objects.filter(pk__in={one.profile_id for one in tasks}).values_list("pk", "customer_id"))
    phones = numbers([one for one in tasks if _is_yours(one, partner)], clock.utcnow())
    return [_show(one, customers.get(one.profile_id), phones.get(one.pk, ""), partner) for one in tasks]


def _show(task: Task, customer_id: UUID | None, phone: str, partner: Partner) -> dict[str, Any]:
    in_full = partner.reads_personal
    return {
        "id": task.pk,
        "kind": task.kind,
        "queue": task.queue,
        "state": task.state,
        "reason": task.reason,
        "customer": customer_id,
        "phone": phone if in_full or not phone else mask(phone, IDENTIFIER),
        "title": task.title if in_full else mask(task.title, TEXT),
        "instructions": task.instructions if in_full else mask(task.instructions, TEXT),
        "priority": task.priority,
        "made_at": task.made_at,
        "not_before": task.not_before,
        "due_at": task.due_at,
        "claimed_at": task.claimed_at,
        "is_yours": _is_yours(task, partner),
        "ended_at": task.ended_at,
        "outcome": task.outcome,
    }


def _is_yours(task: Task, partner: Partner) -> bool:
    return task.state == Task.State.CLAIMED and task.token_id == partner.token_id
