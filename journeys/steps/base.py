"""What every step type is: a struct that authors fill in, and pure functions from where a run is to what it does."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple, Protocol, Union
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import Text, form
from customers.rules import Facts, Rule
from customers.rules.errors import Problem
from customers.rules.values import added_to
from journeys.models import Cause
from journeys.request import Question
from journeys.steps.reaching import Sends, Through
from journeys.variables import Assignment

if TYPE_CHECKING:
    from journeys.engine.acting import Batch
    from journeys.simulation.moment import Moment

ANY_KEY = "any"
# With the journey's id and the longest entry key, a step's id makes a copy key of at most 300 characters.
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
# What a step may read beside what its rules look at: the customer's traits, what the run entered with, their zone.
TRAITS, EVENT, ZONE = "traits", "event", "zone"


class EventMatch(Struct, kw_only=True, forbid_unknown_fields=True):
    """An event that means something to a run. In a keyed journey `key` names the event's property that must
    equal the run's key, or is `any`."""

    event: Annotated[str, form(_("event"), refers="event")]
    rule: Annotated[dict[str, Any] | None, form(_("only if"), kind="rule")] = None
    key: Annotated[
        str | None,
        form(
            _("key property"),
            _("In a journey with a key: the property of this event that must equal it, or “any”."),
        ),
    ] = None


class Standing(Protocol):
    """What tells one run from all others, the same in a simulation as it is live."""

    @property
    def journey_id(self) -> UUID: ...

    profile_id: UUID
    entry_key: str
    entered_at: datetime
    # When it came to where it stands.
    stepped_at: datetime


class Reset(EventMatch, kw_only=True, forbid_unknown_fields=True):
    """An event that lets the time begin anew, counted from when it occurred."""

    most: Annotated[int, form(_("at most so often"), _("At each arrival here; later ones change nothing."))] = 10


def drawn(words: str, sides: int) -> int:
    """From 0 to below `sides`: the same for the same words, and each as likely as any other."""
    return int.from_bytes(sha256(words.encode()).digest()[:8], "big") * sides >> 64


@dataclass(slots=True)
class Here:
    """Where a run stands when a step is asked: the facts a rule may look at, the time, and which run it is."""

    facts: Facts
    now: datetime
    rules: dict[int, Rule]
    run: Standing

    def draw(self, salt: str, sides: int, *, is_fresh: bool) -> int:
        """From 0 to below `sides`, each as likely as any other: for the person, or for this run of theirs."""
        run = self.run
        unit = f"{run.profile_id}:{run.entry_key}:{run.entered_at.timestamp()}" if is_fresh else str(run.profile_id)
        return drawn(f"{run.journey_id}:{salt}:{unit}", sides)

    @property
    def zone(self) -> ZoneInfo:
        """The customer's zone, else the brand's; of a step that says it reads it."""
        return ZoneInfo(self.facts.extra[ZONE])


class Lot(NamedTuple):
    """The arm of an experiment that was drawn, for this run or for the person."""

    arm: str
    is_holdout: bool
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said of the customer, by trait: `said` is its value (None: no longer known), `added` a number more."""

    said: dict[str, Any] = field(default_factory=dict)
    added: dict[str, int | float] = field(default_factory=dict)

    def upon(self, traits: Mapping[str, Any]) -> dict[str, Any]:
        """The traits of whoever was said to be the others."""
        return {**traits, **self.said, **added_to(traits, self.added)}


@dataclass(frozen=True, slots=True)
class Go:
    """Move on to the step of this id; `sends` has the message of the step left behind made, `lot` says what was drawn
    there, `tells` what is said there of the customer."""

    to: str
    cause: Cause
    branch: int | None = None
    sends: bool = False
    lot: Lot | None = None
    tells: Telling | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay until `until`, or until an awaited event; or until the other system replies that is asked. With `goes_on`
    it is the wait that the run is in, which lasts longer than it seemed."""

    until: datetime
    asks: Question | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """The run is over, for want of what it cannot go on without."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class End:
    """The run is over, well."""


Outcome = Go | Wait | End | Fail
# What a run does, and the event by which it does it, as (id, received at).
Answer = tuple[Outcome, tuple[int, datetime] | None]


class Step(Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of all step types; a subclass names its `type` as its tag and is known by being defined.

    `id` is stable across versions; `state` is the state a run has while it is at this step.
    """

    id: Annotated[str, form(_("step id"))]
    state: Annotated[str, form(_("state"), refers="state")]

    # What authors call this type and what it does; without a label, its tag.
    label: ClassVar[Text] = ""
    help: ClassVar[Text] = ""
    # Fields of which one has to be filled in.
    one_of: ClassVar[tuple[str, ...]] = ()
    # Whether a run may rest here.
    waits: ClassVar[bool] = False
    sends_message: ClassVar[bool] = False
    # Whether something may be said of the customer here.
    tells: ClassVar[bool] = False
    # Whether another system is asked here; such a step is `Calling`.
    calls: ClassVar[bool] = False
    # Whether it acts when a run's time here is up (see `act`), before it is known where the run goes.
    acts: ClassVar[bool] = False
    # Whether the customer is held meanwhile, so that nobody else does anything about them.
    holds_customer: ClassVar[bool] = False
    # The events that tell of what acting changes; in virtual time exits by condition are asked by these names.
    heard_as: ClassVar[tuple[str, ...]] = ()
    # What a simulation has to say that it cannot know of such a step: a code of `journeys.simulation.unknown`.
    unknown: ClassVar[str] = ""

    def targets(self) -> list[str]:
        """Ids of the steps this one may lead to."""
        return []

    def at_once(self) -> list[str]:
        """Those that a run may go on to without resting here; a loop of such ways cannot be published."""
        return [] if self.waits else self.targets()

    def reads(self) -> frozenset[str]:
        """What the step itself looks at on arrival: TRAITS, EVENT, ZONE."""
        return frozenset()

    def traits(self) -> list[str]:
        """Names of the traits the step itself looks at; they are kept with the move they decide."""
        return []

    def properties(self) -> list[str]:
        """Names of the entry event's properties that the step itself looks at."""
        return []

    def variables(self) -> list[tuple[str, str]]:
        """(pointer within the step, name) of the journey's variables that the step itself looks at."""
        return []

    def fills(self) -> list[tuple[str, str]]:
        """The same of those that it gives a value, beside what events give."""
        return []

    def problems(self) -> Iterator[Problem]:
        """What keeps a journey with this step from being published; pointers begin at the step."""
        yield from ()

    def awaits(self) -> list[EventMatch]:
        """The events that resume a run waiting here, in the order of their branches."""
        return []

    def takes_the_best(self) -> bool:
        """Whether what is awaited is weighed when time is up, rather than resuming at once."""
        return False

    def resets(self) -> Reset | None:
        """The event that lets the time of a run waiting here begin anew."""
        return None

    def gives(self, branch: int) -> Sequence[Assignment]:
        """Which variables the event of `awaits()[branch]` gives a value."""
        return ()

    def cancels(self) -> list[EventMatch]:
        """The events that make a message needless which waits because of this step."""
        return []

    def connectors(self) -> list[Through]:
        """What it goes by to reach somebody, or another system."""
        return []

    def journeys(self) -> list[tuple[str, str]]:
        """(pointer within the step, key) of the other journeys that it names."""
        return []

    def templates(self) -> list[tuple[str, str]]:
        """(pointer within the step, key) of each template it may send, in the order of its variants."""
        return []

    def sends(self) -> Sends | None:
        """The message that it has made, if it is one that `sends_message`."""
        return None

    def variant(self, drawn: int) -> str:
        """What the author calls what was drawn here for a message."""
        raise TypeError(f"{type(self).__name__} draws no variant")

    def named(self) -> Mapping[str, str]:
        """What people are told of a move that begins here: `journey`, `entitlement`, `connector`."""
        return {}

    def looks_back_to_itself(self) -> bool:
        """Whether only what happens since the run came here means anything to a run that waits here."""
        return False

    def rules(self) -> list[tuple[str, dict[str, Any]]]:
        """(pointer within the step, rule) of every rule asked in `enter`, in order."""
        return []

    def enter(self, here: Here) -> Outcome:
        """What a run does that arrives here."""
        raise TypeError(f"{type(self).__name__} does not say what happens on arrival")

    def due(self, here: Here) -> Outcome:
        """What a run does whose time here is up."""
        raise TypeError(f"{type(self).__name__} does not wait")

    @classmethod
    def act(cls, batch: "Batch") -> Mapping[int, Answer]:
        """What the runs of a batch do, by their ids, whose time at steps of this type is up; of a type that `acts`.

        It happens in the transaction that moves them, by a few statements whatever their number, and happens again
        should that be undone; so whatever it does is told from all else by the run and the number of its moves.
        """
        raise TypeError(f"{cls.__name__} does not act")

    def suppose(self, moment: "Moment") -> Outcome:
        """The same of one run in virtual time, in simulations and cases: nothing is written."""
        raise TypeError(f"{type(self).__name__} does not say what would come of it")

    def resume(self, branch: int) -> Outcome:
        """What a run does when the event of `awaits()[branch]` arrives."""
        raise TypeError(f"{type(self).__name__} awaits no event")


def step_types() -> dict[str, type[Step]]:
    """All step types by their tag; a tag that two types claim is an error of the program."""
    types: dict[str, type[Step]] = {}
    for cls in Step.__subclasses__():
        tag = str(cls.__struct_config__.tag)
        if tag in types:
            raise TypeError(f"step type {tag!r} is defined by {types[tag].__name__} and by {cls.__name__}")
        types[tag] = cls
    return types


def step_union() -> Any:
    """The union of all step types, by which msgspec decodes a step from its `type`."""
    return Union[tuple(step_types().values())]  # noqa: UP007 - built at run time from the registry
