"""The journey map: stages across, channels down, and in each cell the touchpoints planned or live there.

Rows are never deleted: what is taken off the map keeps its row (`removed_at`), since published versions and
counted days name touchpoints, and so that it can be put back.
"""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models import Brand, Squad, SquadMember
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey

# As long as an event's name may be.
_EVENT_NAME = 120
_ANSWER = 500
_OF_MAP = ByBrand("map__brand", squad="map__squad")


class JourneyMap(Owned):
    """How people get on with a brand, from first hearing of it to staying; many journeys serve one map."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="journey_maps", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    name = models.CharField(_("name"), max_length=200)
    persona = models.CharField(
        _("persona"), max_length=_ANSWER, blank=True, help_text=_("Who travels: the customers this map is drawn for.")
    )
    description = models.TextField(_("description"), max_length=4000, blank=True)
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("journey map")
        verbose_name_plural = _("journey maps")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "name"), name="one_map_name_per_brand"),)

    def __str__(self) -> str:
        return self.name


class MapPart(Owned):
    """What people edit on a map; `lock_version` is the number of its newest revision."""

    reach = _OF_MAP
    # What a revision keeps and an edit may set, by field name.
    written: ClassVar[tuple[str, ...]]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    position = models.SmallIntegerField(_("position"), default=0)
    lock_version = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class MapStage(MapPart):
    """A column: how far somebody has come, and what that is like for them."""

    written = ("name", "question", "feeling", "good_experience", "next_step", "position")

    map = models.ForeignKey(JourneyMap, on_delete=models.PROTECT, related_name="stages", verbose_name=_("journey map"))
    name = models.CharField(_("name"), max_length=80)
    question = models.CharField(_("the customer's question"), max_length=_ANSWER, blank=True)
    feeling = models.CharField(_("feeling"), max_length=_ANSWER, blank=True)
    good_experience = models.CharField(_("a good experience"), max_length=_ANSWER, blank=True)
    next_step = models.CharField(_("next step"), max_length=_ANSWER, blank=True)

    class Meta:
        verbose_name = _("map stage")
        verbose_name_plural = _("map stages")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class MapChannel(MapPart):
    """A row: a way in which the brand and the customer meet, whether or not a message goes by it."""

    class Kind(models.TextChoices):
        EMAIL = Channel.EMAIL.value, _("e-mail")
        SMS = Channel.SMS.value, _("SMS")
        WHATSAPP = Channel.WHATSAPP.value, _("WhatsApp")
        PUSH = Channel.PUSH.value, _("push")
        IN_APP = Channel.IN_APP.value, _("in-app")
        WEB = Channel.WEB.value, _("web")
        STORE = "store", _("store")
        CALL_CENTRE = "call_centre", _("call centre")
        SOCIAL = "social", _("social network")
        MARKETPLACE = "marketplace", _("marketplace")
        ADS = "ads", _("advertising")
        PARTNER = "partner", _("partner")
        MAIL = "mail", _("letter or parcel")

    written = ("kind", "name", "position")

    map = models.ForeignKey(
        JourneyMap, on_delete=models.PROTECT, related_name="channels", verbose_name=_("journey map")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    name = models.CharField(
        _("name"), max_length=80, blank=True, help_text=_("Only where the kind is not name enough: a certain store.")
    )

    class Meta:
        verbose_name = _("map channel")
        verbose_name_plural = _("map channels")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name or str(self.get_kind_display())

    @property
    def sends_messages(self) -> bool:
        """Whether steps of journeys can be what happens here."""
        return self.kind in Channel


class Touchpoint(MapPart):
    """One meeting of brand and customer, in the cell of a stage and a channel; the four questions say what for."""

    class Intent(models.TextChoices):
        PLANNED = "planned", _("planned")
        LIVE = "live", pgettext_lazy("journey", "live")

    written = (
        "stage_id", "channel_id", "position", "name", "customer_is", "customer_wants", "removes_friction",
        "next_step", "message", "expected_action", "expected_event", "conversion_days", "arrival_event",
        "owner_role", "owner_id", "is_critical", "intent",
    )  # fmt: skip

    map = models.ForeignKey(
        JourneyMap, on_delete=models.PROTECT, related_name="touchpoints", verbose_name=_("journey map")
    )
    stage = models.ForeignKey(MapStage, on_delete=models.PROTECT, related_name="touchpoints", verbose_name=_("stage"))
    channel = models.ForeignKey(
        MapChannel, on_delete=models.PROTECT, related_name="touchpoints", verbose_name=_("channel")
    )
    name = models.CharField(_("name"), max_length=120)
    customer_is = models.CharField(_("Who is the customer now?"), max_length=_ANSWER, blank=True)
    customer_wants = models.CharField(_("What do they want?"), max_length=_ANSWER, blank=True)
    removes_friction = models.CharField(_("Which message reduces friction?"), max_length=_ANSWER, blank=True)
    next_step = models.CharField(_("What next step do we want?"), max_length=_ANSWER, blank=True)
    message = models.TextField(_("message"), max_length=2000, blank=True, help_text=_("What we say, in its words."))
    expected_action = models.CharField(_("expected action"), max_length=_ANSWER, blank=True)
    expected_event = models.CharField(
        _("event of the expected action"),
        max_length=_EVENT_NAME,
        blank=True,
        help_text=_("Its arrival within the window counts as a conversion, such as order.completed."),
    )
    conversion_days = models.PositiveSmallIntegerField(
        _("window in days"), default=7, validators=(MinValueValidator(1), MaxValueValidator(30))
    )
    arrival_event = models.CharField(
        _("event of a visit"),
        max_length=_EVENT_NAME,
        blank=True,
        help_text=_("Where no message is sent (store, call centre): the event that shows a customer was here."),
    )
    owner_role = models.CharField(_("owner's role"), max_length=20, choices=SquadMember.Role.choices, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    is_critical = models.BooleanField(
        _("critical moment"), default=False, help_text=_("A moment that decides whether the customer goes on.")
    )
    intent = models.CharField(_("intent"), max_length=8, choices=Intent.choices, default=Intent.PLANNED)

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        ordering = ("position", "id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(conversion_days__range=(1, 30)), name="conversion_window_of_1_to_30_days"
            ),
        )

    def __str__(self) -> str:
        return self.name


class PlacedStep(Owned):
    """A message step put on the map by hand, for versions that name no touchpoint themselves."""

    reach = ByBrand("touchpoint__map__brand", squad="touchpoint__map__squad")

    touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.CASCADE, related_name="placed_steps", verbose_name=_("touchpoint")
    )
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="+", verbose_name=_("journey"))
    step_id = models.CharField(_("step"), max_length=60)

    class Meta:
        verbose_name = _("placed step")
        verbose_name_plural = _("placed steps")
        constraints = (models.UniqueConstraint(fields=("journey", "step_id"), name="one_place_per_step"),)

    def __str__(self) -> str:
        return self.step_id


class MapRevision(Owned):
    """Append-only: how a stage, channel or touchpoint stood after each edit, so that none overwrites another unseen."""

    class Action(models.TextChoices):
        ADDED = "added", _("added")
        EDITED = "edited", _("edited")
        MOVED = "moved", _("moved")
        REMOVED = "removed", _("removed")
        UNDONE = "undone", _("undone")

    reach = _OF_MAP

    id = models.BigAutoField(primary_key=True)
    map = models.ForeignKey(
        JourneyMap, on_delete=models.PROTECT, related_name="revisions", verbose_name=_("journey map")
    )
    part_id = models.UUIDField(_("stage, channel or touchpoint"))
    number = models.PositiveIntegerField(_("revision"))
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    values = models.JSONField(_("values"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("map revision")
        verbose_name_plural = _("map revisions")
        constraints = (models.UniqueConstraint(fields=("part_id", "number"), name="one_revision_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.part_id} {self.number}"
