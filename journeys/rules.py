"""Leaf kind `run`: whether a customer is, has been or never was in a journey, or stands at a step of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple
from uuid import UUID

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, PEOPLE, Facts, Holds, Leaf
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import NAME
from journeys.models import Journey

if TYPE_CHECKING:
    from customers.sight import Person

# What segments watch: that somebody came in or went, and that somebody moved within.
KIND, STEP_KIND = "run", "run_step"
# By which facts bring the runs of a customer.
RUNS: Final = "runs"
LIVE, EVER, NEVER = "live", "ever", "never"
_WORDS: Final[dict[str, Text]] = {
    LIVE: _("is in it"),
    EVER: _("is or was in it"),
    NEVER: _("was never in it"),
}
_SENTENCES: Final[dict[str, Text]] = {
    LIVE: _("is in the journey %(journey)s"),
    EVER: _("is or was in the journey %(journey)s"),
    NEVER: _("was never in the journey %(journey)s"),
}

_JOURNEY: Final = "(SELECT id FROM journeys_journey WHERE brand_id = %s AND key = %s)"
_LIVE: Final = (
    "EXISTS (SELECT 1 FROM journeys_run r WHERE r.customer_id = c.id AND r.status = 1"
    f" AND r.journey_id = {_JOURNEY}{{step}})"
)
# Where a step stands differs between versions.
_AT_STEP: Final = f""" AND ({{place}}) IN (
    SELECT v.id, s.n - 1 FROM journeys_journeyversion v,
        jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(step, n)
    WHERE v.journey_id = {_JOURNEY} AND s.step ->> 'id' = %s
)"""
_EVER: Final = (
    "EXISTS (SELECT 1 FROM customers_profile o JOIN journeys_entrymemory m ON m.profile_id = o.id"
    f" WHERE o.customer_id = c.id AND m.journey_id = {_JOURNEY})"
)
_RUN_THEN: Final = (
    "EXISTS (SELECT 1 FROM customers_profile o JOIN journeys_run r ON r.profile_id = o.id"
    f" WHERE o.customer_id = c.id AND r.journey_id = {_JOURNEY} AND r.entered_at <= %s{{more}})"
)
_NOT_ENDED: Final = " AND (r.ended_at IS NULL OR r.ended_at > %s)"
# So it may between the versions that a run was of.
_STEP_THEN: Final = (
    "coalesce((SELECT t.version_from FROM journeys_transition t WHERE t.run_id = r.id AND t.version_from IS NOT NULL"
    " AND t.at > %s ORDER BY t.seq LIMIT 1), r.version_id),"
    " (SELECT t.step_to FROM journeys_transition t WHERE t.run_id = r.id AND t.at <= %s ORDER BY t.seq DESC LIMIT 1)"
)


class RunFact(NamedTuple):
    """A run of a customer; the step is that of a live one."""

    journey: str
    is_live: bool
    step: str = ""


class RunStanding(Leaf, frozen=True, kw_only=True):
    """SQL reads `c`, a row of customers_customer. What was is remembered for good; at which step somebody was at a
    time is known as long as the run is kept."""

    kind: ClassVar[str] = KIND
    label: ClassVar[Text] = _("Journey")
    inputs: ClassVar[frozenset[str]] = frozenset({"runs"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE})

    journey: Annotated[str, form(_("journey"), refers="journey")]
    state: Annotated[str, form(_("state"), choices=_WORDS)] = LIVE
    step: Annotated[
        str | msgspec.UnsetType,
        form(_("at the step"), _("Of who is in it."), refers="journey_step", beside="journey", unset=_("any")),
    ] = msgspec.UNSET

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        by_words = {str(words): _SENTENCES[state] for state, words in _WORDS.items()}
        sentence = by_words.get(said.get("state", ""), _("%(journey)s: %(state)s"))
        values = {"journey": said.get("journey", BLANK), "state": said.get("state", BLANK)}
        if "step" in said:
            sentence, values["step"] = gettext("is at the step %(step)s of the journey %(journey)s"), said["step"]
        return str(sentence) % values

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        seen = list(Journey.objects.visible_to(user).filter(brand=brand_id).values_list("pk", "key", "name"))
        keys = {pk: key for pk, key, _name in seen}
        steps = ((str(step["id"]), str(step["id"]), keys[journey]) for journey, step in _live_steps(keys))
        return {"journey": ((key, f"{name} ({key})") for _pk, key, name in seen), "journey_step": steps}

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        return frozenset({(KIND if self.step is msgspec.UNSET else STEP_KIND, self.journey)})

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.journey):
            yield Problem("name_invalid", "/journey", _("This cannot be a journey."), _("Give the key of a journey."))
        if self.state not in _WORDS:
            hint = format_lazy(_("Use one of {states}."), states=", ".join(_WORDS))
            yield Problem("unknown_state", "/state", _("There is no such state."), hint)
        if self.step is not msgspec.UNSET:
            if self.state != LIVE:
                hint = _("Leave it out, or ask for those who are in it.")
                yield Problem("value_not_allowed", "/step", _("A step too many."), hint)
            if not NAME.fullmatch(self.step):
                yield Problem("name_invalid", "/step", _("This cannot be a step."), _("Give the id of a step."))

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        if not Journey.objects.filter(brand=brand_id, key=self.journey).exists():
            message = format_lazy(_("There is no journey {key}."), key=self.journey)
            yield Problem("unknown_journey", "/journey", message, _("Use the key of a journey of this brand."))

    def python(self) -> Holds:
        def found(facts: Facts) -> bool:
            runs = (one for one in facts.extra.get(RUNS, ()) if one.journey == self.journey)
            if self.state != LIVE:
                return any(True for _one in runs)
            return any(one.is_live and self.step in (msgspec.UNSET, one.step) for one in runs)

        return (lambda facts: not found(facts)) if self.state == NEVER else found

    def sql(self, reading: Reading) -> Fragment:
        journey = [reading.brand_id, self.journey]
        if self.state == LIVE:
            if self.step is msgspec.UNSET:
                return _LIVE.format(step=""), journey
            return _LIVE.format(step=_AT_STEP.format(place="r.version_id, r.step")), [*journey, *journey, self.step]
        return self._turned(_EVER), journey

    def as_of(self, reading: Reading) -> Fragment:
        given = [reading.brand_id, self.journey, reading.now]
        if self.state != LIVE:
            return self._turned(_RUN_THEN.format(more="")), given
        if self.step is msgspec.UNSET:
            return _RUN_THEN.format(more=_NOT_ENDED), [*given, reading.now]
        at_step = _AT_STEP.format(place=_STEP_THEN)
        return _RUN_THEN.format(more=_NOT_ENDED + at_step), [*given, *[reading.now] * 3, *given[:2], self.step]

    def _turned(self, text: str) -> str:
        return f"NOT {text}" if self.state == NEVER else text


def _live_steps(journeys: Iterable[UUID]) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
    """(journey, step) of the live versions."""
    live = Journey.objects.filter(pk__in=journeys, live_version__isnull=False)
    for journey, steps in live.values_list("pk", "live_version__definition__steps"):
        yield from ((journey, step) for step in steps)
