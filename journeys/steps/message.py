"""Message: make a message and move on at once; whether it may go is settled again when it goes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, Struct, UnsetType

from customers.hints import Text, form
from customers.models.address import Channel
from customers.rules.errors import Problem
from journeys.models import Cause
from journeys.spans import span_problems
from journeys.steps.base import EventMatch, Go, Here, Lot, Outcome, Step
from journeys.steps.reaching import Sends, Through
from journeys.steps.shares import WHOLE, Words, drawn_by, share_problems

_CHANNELS: Final = frozenset(channel.value for channel in Channel if channel is not Channel.PERSON)

_VARIANTS: Final = Words(
    "variants",
    "key",
    "variant_count",
    _("A message has 2 to 9 variants, or none."),
    _("This cannot be the key of a variant."),
    "duplicate_variant",
)


class Variant(Struct, kw_only=True, forbid_unknown_fields=True):
    key: Annotated[str, form(_("variant"), _("Names it in reports; people who were drawn stay under this name."))]
    template: Annotated[str, form(_("template"), refers="template")]
    share: Annotated[int, form(_("percent"), _("All variants together are 100."))]


class Message(Step, tag_field="type", tag="message", kw_only=True, forbid_unknown_fields=True):
    """`connector` and `template` are keys in the journey's brand; `purpose` defaults to the journey's. `variants` take
    the place of `template`: which of them somebody gets is drawn as by a randomized split, and stays the same while
    their shares do.

    `cancel_on` names the events that make the message needless while it waits; unset, they are the events of
    the hold whose time-out led here. `touchpoint` is the place on a journey map that the message fills.
    """

    label: ClassVar[Text] = _("Message")
    help: ClassVar[Text] = _("Makes a message and moves on at once; permission is asked again when it goes.")
    one_of: ClassVar[tuple[str, ...]] = ("template", "variants")
    waits: ClassVar[bool] = False
    sends_message: ClassVar[bool] = True

    channel: Annotated[str, form(_("channel"), refers="channel")]
    connector: Annotated[str, form(_("connector"), refers="connector", beside="channel")]
    template: Annotated[
        str | None, form(_("template"), _("Or variants."), refers="template", beside="channel", is_usual=True)
    ] = None
    variants: Annotated[
        list[Variant],
        form(_("variants"), _("Several templates instead of one; each person is drawn for one of them, by shares.")),
    ] = []
    next: Annotated[str, form(_("then go to"), refers="step")]
    purpose: Annotated[
        str | None, form(_("purpose"), _("Only where it differs from the journey's."), refers="purpose")
    ] = None
    not_later_than: Annotated[
        timedelta, form(_("not later than"), _("A message that could not go by then is not sent."))
    ] = timedelta(hours=24)
    cancel_on: Annotated[
        list[EventMatch] | UnsetType,
        form(
            _("needless once this happened"),
            unset=_("the events of the hold whose time-out led here"),
        ),
    ] = UNSET
    touchpoint: Annotated[
        UUID | None,
        form(
            _("touchpoint"),
            _("The place on the journey map that this message fills."),
            refers="touchpoint",
            is_usual=True,
        ),
    ] = None

    def targets(self) -> list[str]:
        return [self.next]

    def cancels(self) -> list[EventMatch]:
        return self.cancel_on if isinstance(self.cancel_on, list) else []

    def connectors(self) -> list[Through]:
        return [Through("/connector", self.connector, self.channel)]

    def sends(self) -> Sends:
        is_own = isinstance(self.cancel_on, list)
        return Sends(self.channel, self.connector, self.purpose, self.not_later_than, is_own)

    def variant(self, drawn: int) -> str:
        return self.variants[drawn].key

    def templates(self) -> list[tuple[str, str]]:
        if self.variants:
            return [(f"/variants/{n}/template", one.template) for n, one in enumerate(self.variants)]
        return [("/template", self.template)] if self.template else []

    def problems(self) -> Iterator[Problem]:
        yield from self._wording()
        if self.channel not in _CHANNELS:
            yield Problem("unknown_channel", "/channel", _("There is no channel “%(name)s”.") % {"name": self.channel})
        yield from span_problems(self.not_later_than, "/not_later_than")

    def enter(self, here: Here) -> Outcome:
        if not self.variants:
            return Go(self.next, Cause.CONTINUED, sends=True)
        drawn = drawn_by([one.share for one in self.variants], here.draw(self.id, WHOLE, is_fresh=False))
        lot = Lot(self.variants[drawn].key, is_holdout=False, is_fresh=False)
        return Go(self.next, Cause.CONTINUED, drawn, sends=True, lot=lot)

    def _wording(self) -> Iterator[Problem]:
        if not self.variants:
            if not self.template:
                hint = _("Choose a template, or give it variants.")
                yield Problem("missing_field", "/template", _("This is missing."), hint)
            return
        if self.template:
            message, hint = _("A message has a template or variants, not both."), _("Take one of them away.")
            yield Problem("template_and_variants", "/template", message, hint)
        keys, shares = [one.key for one in self.variants], [one.share for one in self.variants]
        yield from share_problems(_VARIANTS, keys, shares)
