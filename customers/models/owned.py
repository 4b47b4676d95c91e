"""The base of every model: rows that know whom they may be shown to, and who may change them."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.query import ModelIterable
from django.utils.translation import gettext_lazy as _

from customers import personal
from customers.partner import Partner
from customers.reach import ALWAYS, NEVER, ForAll, OfOrganisation, Reach, reach_of
from customers.sight import BLIND, Sight, sight_of

if TYPE_CHECKING:
    from customers.sight import Person

_M = TypeVar("_M", bound=models.Model, covariant=True)
# What tells a row that is shown in full from one that is masked.
_IN_FULL = "shown_in_full"
# For whom a row was loaded, so that what is shown beside it is loaded for them too.
_VIEWER = "shown_to_viewer"


class Veiled(ModelIterable):  # type: ignore[type-arg]  # not subscriptable at run time
    """Rows as somebody may see them: personal fields masked, unless the row says that it is shown in full."""

    def __iter__(self) -> Iterator[Any]:
        viewer = getattr(self.queryset, "_hints", {}).get(_VIEWER)
        for row in super().__iter__():
            if viewer is not None:
                row.__dict__[_VIEWER] = viewer
            if not getattr(row, _IN_FULL, False):
                personal.veil(row)
            yield row


class OwnedQuerySet(models.QuerySet[_M]):
    def visible_to(self, user: "Person | Partner") -> "OwnedQuerySet[_M]":
        """Rows this person, or partner, may know of at all."""
        if isinstance(user, Partner):
            return self.filter(user.sees(self.model))
        sight = sight_of(user)
        return self if sight.superuser else self.filter(_seen(self.model, sight))

    def changeable_by(self, user: "Person") -> "OwnedQuerySet[_M]":
        """Visible rows that this person may change, if their role changes rows of this kind."""
        sight = sight_of(user)
        if sight.superuser:
            return self
        options = self.model._meta
        if not user.has_perm(f"{options.app_label}.change_{options.model_name}"):  # type: ignore[union-attr]  # not blind
            return self.none()
        return self.filter(_seen(self.model, sight) & _changed(self.model, sight))

    def personal_to(self, user: "Person") -> "OwnedQuerySet[_M]":
        """Visible rows whose personal fields this person reads unmasked."""
        sight = sight_of(user)
        return self if sight.superuser else self.filter(_seen(self.model, sight) & _read(self.model, sight))

    def shown_to(self, user: "Person") -> "OwnedQuerySet[_M]":
        """Visible rows, masked where this person may not read personal data; masked rows refuse to be saved."""
        sight = sight_of(user)
        seen = self.visible_to(user)
        if sight.everything_in_full:
            return seen
        in_full = ExpressionWrapper(_read(self.model, sight), output_field=models.BooleanField())
        veiled: OwnedQuerySet[_M] = seen.annotate(**{_IN_FULL: in_full})
        veiled._iterable_class = Veiled
        veiled._add_hints(**{_VIEWER: user})  # type: ignore[attr-defined]  # Django's own notes on where rows come from
        return veiled

    def _prefetch_related_objects(self) -> None:
        super()._prefetch_related_objects()  # type: ignore[misc]  # Django's own
        for row in self._result_cache or ():
            if personal.is_veiled(row):
                personal.veil_related(row)

    def _values(self, *fields: Any, **expressions: Any) -> Any:
        # Bare values cannot be told apart row by row, so they are not handed out.
        if self._iterable_class is Veiled and any(personal.leads_to(self.model, str(field)) for field in fields):
            raise TypeError("Bare values of personal fields cannot be masked: read rows instead.")
        return super()._values(*fields, **expressions)  # type: ignore[misc]  # Django's own, below values and values_list


class OwnedManager(models.Manager[_M]):
    """Spelled out, as a manager made from the queryset would lose its types."""

    def get_queryset(self) -> OwnedQuerySet[_M]:
        hints: dict[str, Any] = getattr(self, "_hints", {})
        rows: OwnedQuerySet[_M] = OwnedQuerySet(self.model, using=self._db, hints=hints)
        # What is loaded by way of a masked row is masked as well.
        origin = hints.get("instance") or getattr(self, "instance", None)
        if origin is not None and personal.is_veiled(origin):
            rows._iterable_class = Veiled
        return rows

    def visible_to(self, user: "Person | Partner") -> OwnedQuerySet[_M]:
        return self.get_queryset().visible_to(user)

    def changeable_by(self, user: "Person") -> OwnedQuerySet[_M]:
        return self.get_queryset().changeable_by(user)

    def personal_to(self, user: "Person") -> OwnedQuerySet[_M]:
        return self.get_queryset().personal_to(user)

    def shown_to(self, user: "Person") -> OwnedQuerySet[_M]:
        return self.get_queryset().shown_to(user)


def beside(row: models.Model, model: type["_O"]) -> OwnedQuerySet["_O"]:
    """Rows of another model, as whoever this row was shown to may see them."""
    viewer: Person | None = row.__dict__.get(_VIEWER)
    rows = model.objects.get_queryset()
    return rows if viewer is None else rows.shown_to(viewer)


class Owned(models.Model):
    """A model whose rows belong to brands; `reach` says how, where it is not simply by `brand` and `squad`."""

    reach: ClassVar[Reach]
    # Which rows tell personal data by being there at all: only those see them who read it.
    telling: ClassVar[Q | None] = None
    # Changed by nobody but those who manage the brand, or lead the squad.
    for_managers: ClassVar[bool] = False

    objects: ClassVar[OwnedManager[Self]] = OwnedManager()

    class Meta:
        abstract = True
        # Relations are followed by the same manager, so that they keep the mask.
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if personal.is_masked(self):
            raise TypeError("A masked row cannot be saved: its fields are not what they were.")
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        brand_id, squad = getattr(self, "brand_id", None), getattr(self, "squad", None)
        if brand_id and squad is not None and squad.brand_id != brand_id:
            raise ValidationError({"squad": _("This squad works in another brand.")}, code="squad_of_other_brand")


_O = TypeVar("_O", bound=Owned)


def _seen(model: type[models.Model], sight: Sight) -> Q:
    seen = _within(reach_of(model), sight, sight.brands, whole=sight.everything)
    telling: Q | None = getattr(model, "telling", None)
    return seen if telling is None else seen & (~telling | _read(model, sight))


def _read(model: type[models.Model], sight: Sight) -> Q:
    return _within(reach_of(model), sight, sight.personal, whole=sight.everything_in_full)


def _within(reach: Reach, sight: Sight, brands: Collection[UUID], *, whole: bool) -> Q:
    if sight is BLIND:
        return NEVER
    if whole or isinstance(reach, ForAll):
        return ALWAYS
    return NEVER if isinstance(reach, OfOrganisation) or not brands else reach.within(brands)


def _changed(model: type[models.Model], sight: Sight) -> Q:
    reach = reach_of(model)
    if getattr(model, "for_managers", False):
        managed = reach.within(sight.managed) if sight.managed else NEVER
        return managed | Q(**{f"{reach.squad}__in": sight.led}) if reach.squad else managed
    return reach.changed(sight)
