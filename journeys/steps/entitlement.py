"""Entitlement: grant the customer something, or take it back, and go on by what came of it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from django.utils.translation import gettext_lazy as _

from channels.entitlements.telling import GRANTED
from channels.models.entitlement import KEY, MOST_AT_ONCE
from customers.hints import Text, form
from customers.rules.errors import Problem
from journeys.models import Cause
from journeys.spans import span_problems
from journeys.steps.base import Answer, Go, Here, Outcome, Step, Wait

if TYPE_CHECKING:
    from journeys.engine.acting import Batch
    from journeys.simulation.moment import Moment

_LONGEST: Final = 300


class Entitlement(Step, tag_field="type", tag="entitlement", kw_only=True, forbid_unknown_fields=True):
    """`key` says what is granted, as `free_shipping`. Whoever comes here again, in a run of theirs that begins anew or
    by a loop, is granted it again unless `already` or `most` says otherwise. A run rests here for a moment, until the
    ledger was asked."""

    label: ClassVar[Text] = _("Entitlement")
    help: ClassVar[Text] = _("Grants the customer something, such as free shipping, or takes it back; the ledger says.")
    waits: ClassVar[bool] = True
    acts: ClassVar[bool] = True
    holds_customer: ClassVar[bool] = True
    heard_as: ClassVar[tuple[str, ...]] = (GRANTED,)
    unknown: ClassVar[str] = "entitlements"

    key: Annotated[str, form(_("what"), _("Its key, as free_shipping."))]
    next: Annotated[str, form(_("then go to"), refers="step")]
    do: Annotated[
        Literal["grant", "revoke"],
        form(_("what is done"), choices={"grant": _("it is granted"), "revoke": _("it is taken back")}),
    ] = "grant"
    quantity: Annotated[
        int | None, form(_("how often it may be used"), _("Left out: as often as they like, while it is good."))
    ] = None
    good_for: Annotated[timedelta | None, form(_("good for"), _("Left out: without an end."))] = None
    reason: Annotated[str, form(_("reason"), _("For whoever reads the ledger."))] = ""
    already: Annotated[
        str | None,
        form(
            _("where they have it already, go to"),
            _("Nothing is granted then. Left out: it is granted once more."),
            refers="step",
        ),
    ] = None
    most: Annotated[
        int | None,
        form(_("at most so often"), _("To one customer, by whomever; what was taken back does not count.")),
    ] = None
    limit_reached: Annotated[
        str | None, form(_("where it was granted so often, go to"), _("Needed with a limit."), refers="step")
    ] = None
    nothing: Annotated[
        str | None,
        form(
            _("where nothing can be taken back, go to"),
            _("Only of what is taken back. Left out: as if there had been something."),
            refers="step",
        ),
    ] = None

    def targets(self) -> list[str]:
        return [one for one in (self.next, self.already, self.limit_reached, self.nothing) if one is not None]

    def at_once(self) -> list[str]:
        # The rest is none that a loop could be broken by.
        return self.targets()

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now)

    def named(self) -> Mapping[str, str]:
        return {"entitlement": self.key}

    @classmethod
    def act(cls, batch: "Batch") -> Mapping[int, Answer]:
        return batch.entitle()

    def suppose(self, moment: "Moment") -> Outcome:
        return moment.granted.answer(self, moment.now)

    def decided(self, open_: int, ever: int) -> Go:
        """What a run does whose customer has so many of it, and was granted it so often; it is granted, or taken back,
        where the cause says so."""
        if self.do == "revoke":
            return Go(self.next, Cause.REVOKED) if open_ else Go(self.nothing or self.next, Cause.NOTHING_HELD)
        if self.already is not None and open_:
            return Go(self.already, Cause.ALREADY_HELD)
        if self.most is not None and self.limit_reached is not None and ever >= self.most:
            return Go(self.limit_reached, Cause.LIMIT_REACHED)
        return Go(self.next, Cause.GRANTED)

    def problems(self) -> Iterator[Problem]:
        if not KEY.fullmatch(self.key):
            hint = _("Small letters, digits and _ . - alone, a letter first.")
            yield Problem("name_invalid", "/key", _("This cannot be the key of an entitlement."), hint)
        for name in ("quantity", "most"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= MOST_AT_ONCE:
                yield Problem("out_of_range", f"/{name}", _("This is from 1 to 1,000,000."))
        if self.good_for is not None:
            yield from span_problems(self.good_for, "/good_for")
        if len(self.reason) > _LONGEST:
            yield Problem("too_long", "/reason", _("A reason has at most 300 characters."))
        if (self.most is None) != (self.limit_reached is None):
            hint = _("Say both how often, and where the run goes then; or neither.")
            yield Problem("limit_unclear", "/limit_reached", _("A limit needs a way of its own."), hint)
        yield from self._misplaced()

    def _misplaced(self) -> Iterator[Problem]:
        """What is said of the one and means something of the other alone."""
        of_grants = ("quantity", "good_for", "already", "most", "limit_reached")
        names = of_grants if self.do == "revoke" else ("nothing",)
        for name in names:
            if getattr(self, name) is not None:
                yield Problem("not_allowed_here", f"/{name}", _("This means nothing here."), _("Leave it out."))
