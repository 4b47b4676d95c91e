"""Webhook: ask another system, wait for its reply, and go on with what it said, or by what went wrong."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from django.utils.translation import gettext_lazy as _

from channels.models.connector import CALLS
from customers.hints import Text, form
from customers.rules.errors import Problem
from journeys import reply, request, retry
from journeys.models import Cause
from journeys.reply import Taken
from journeys.request import LONGEST_CALL, Said
from journeys.retry import Catcher, Retrier
from journeys.spans import span_problems
from journeys.steps.base import EVENT, TRAITS, Answer, Fail, Go, Here, Outcome, Step, Wait
from journeys.steps.reaching import Through
from journeys.variables import VARIABLES

if TYPE_CHECKING:
    from journeys.engine.acting import Batch
    from journeys.simulation.moment import Moment

_MOST_TOLD: Final = 50


class Webhook(Step, tag_field="type", tag="webhook", kw_only=True, forbid_unknown_fields=True):
    """`connector` is the key of one of the brand's for calls; it says where the call goes and who we are there. The run
    rests here until the reply is in: within `within` at the latest, however often it is tried.

    What is tried again is said by `retry`, where an error leads by `catch`; what nothing catches fails the run, which
    staff may have go on once the other system is well.
    """

    label: ClassVar[Text] = _("Webhook")
    help: ClassVar[Text] = _("Asks another system, waits for its reply, and goes on with what it said.")
    waits: ClassVar[bool] = True
    calls: ClassVar[bool] = True
    acts: ClassVar[bool] = True
    unknown: ClassVar[str] = "replies"

    connector: Annotated[str, form(_("connector"), _("Of the kind for calls."), refers="call_connector")]
    method: Annotated[Literal["POST", "GET", "PUT", "PATCH", "DELETE"], form(_("method"))] = "POST"
    path: Annotated[str, form(_("path"), _("Behind the connector’s base, as in /customers/{id}/score."))]
    data: Annotated[list[Said], form(_("tells it"), is_usual=True)] = []
    time_out: Annotated[timedelta, form(_("waits for a reply"), _("At each attempt, at most 10 seconds."))] = timedelta(
        seconds=10
    )
    within: Annotated[timedelta, form(_("all attempts within"), _("Afterwards it is the error expired."))] = timedelta(
        hours=1
    )
    reply: Annotated[list[Taken], form(_("takes out of the reply"), is_usual=True)] = []
    retry: Annotated[list[Retrier], form(_("tries again after"), _("The first that names the error counts."))] = []
    catch: Annotated[
        list[Catcher],
        form(
            _("goes elsewhere after"), _("What nothing catches fails the run, which is then found among dead letters.")
        ),
    ] = []
    next: Annotated[str, form(_("then go to"), refers="step")]

    def targets(self) -> list[str]:
        return [self.next, *(catcher.next for catcher in self.catch)]

    def at_once(self) -> list[str]:
        # However quick the other side is, it is not asked in a circle without a pause.
        return self.targets()

    def reads(self) -> frozenset[str]:
        sources = ((EVENT, self.properties()), (TRAITS, self.traits()), (VARIABLES, self.variables()))
        return frozenset(source for source, names in sources if names)

    def traits(self) -> list[str]:
        return [one.trait for one in self.data if one.trait]

    def properties(self) -> list[str]:
        return [one.property.partition(".")[0] for one in self.data if one.property]

    def variables(self) -> list[tuple[str, str]]:
        return [(f"/data/{n}/variable", one.variable) for n, one in enumerate(self.data) if one.variable is not None]

    def fills(self) -> list[tuple[str, str]]:
        return [(f"/reply/{n}/variable", one.variable) for n, one in enumerate(self.reply)]

    def enter(self, here: Here) -> Outcome:
        asks = request.question(self.method, self.path, self.data, here.facts)
        return Wait(here.now + self.within, asks)

    def connectors(self) -> list[Through]:
        return [Through("/connector", self.connector, CALLS)]

    def named(self) -> Mapping[str, str]:
        return {"connector": self.connector}

    @classmethod
    def act(cls, batch: "Batch") -> Mapping[int, Answer]:
        return batch.take_replies()

    def suppose(self, moment: "Moment") -> Outcome:
        came = moment.came
        if came is None or came.at > moment.now:
            return self.failed("expired")
        if came.error:
            return self.failed(came.error)
        moment.take_reply(came.gave)
        return self.replied()

    def replied(self) -> Go:
        return Go(self.next, Cause.REPLIED)

    def failed(self, error: str) -> Outcome:
        """What a run does about an error once nothing is tried any more."""
        caught = retry.catcher_of(self.catch, error)
        return Fail(Cause.CALL_FAILED) if caught is None else Go(self.catch[caught].next, Cause.CAUGHT, caught)

    def problems(self) -> Iterator[Problem]:
        if len(self.data) > _MOST_TOLD:
            yield Problem("data_count", "/data", _("At most 50 things are told."))
        if not timedelta(0) < self.time_out <= LONGEST_CALL:
            yield Problem(
                "duration", "/time_out", _("A reply is waited for longer than nothing and at most 10 seconds.")
            )
        yield from span_problems(self.within, "/within")
        if self.within < self.time_out:
            hint = _("Let the whole step take at least as long as one attempt.")
            yield Problem("duration", "/within", _("Not even one attempt fits into this time."), hint)
        yield from request.problems_of(self.method, self.path, self.data)
        yield from reply.problems_of(self.reply)
        yield from retry.problems_of(self.retry, self.catch)
