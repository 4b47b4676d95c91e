"""How a table's rows belong to brands: by a path, by a profile, through another table, or not at all."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q

from customers.sight import Sight

# An empty Q would be swallowed by `|`, and cannot be annotated.
NEVER = Q(pk__in=())
ALWAYS = ~NEVER


class Reach(ABC):
    """`within` picks the rows of some brands; `squad` is the path to the squad that works on a row."""

    squad: str | None = None

    @abstractmethod
    def within(self, brands: Collection[UUID]) -> Q: ...

    def changed(self, sight: Sight) -> Q:
        """Which of the rows in sight: those of no squad, of one's own squads, or of brands one manages."""
        if self.squad is None:
            return ALWAYS
        own = Q(**{f"{self.squad}__isnull": True}) | Q(**{f"{self.squad}__in": list(sight.squads)})
        return own | self.within(sight.managed) if sight.managed else own


@dataclass(frozen=True, slots=True)
class ByBrand(Reach):
    """The row, or what it hangs on, names its brand."""

    path: str = "brand"
    squad: str | None = None

    def within(self, brands: Collection[UUID]) -> Q:
        return Q(**{f"{self.path}__in": list(brands)})


@dataclass(frozen=True, slots=True)
class ByProfile(Reach):
    """The row is about a profile: it shows in the brands where that profile was seen."""

    column: str = "profile_id"

    def within(self, brands: Collection[UUID]) -> Q:
        seen = apps.get_model("customers", "ProfileBrand")._default_manager
        return Q(Exists(seen.filter(profile_id=OuterRef(self.column), brand_id__in=list(brands))))


@dataclass(frozen=True, slots=True)
class Through(Reach):
    """The row goes with a row of another model, whose `to` is this row's `column`."""

    column: str
    model: str
    to: str = "pk"

    def within(self, brands: Collection[UUID]) -> Q:
        return self._of(reach_of(self._other).within(brands))

    def changed(self, sight: Sight) -> Q:
        return self._of(reach_of(self._other).changed(sight))

    @property
    def _other(self) -> type[Model]:
        return apps.get_model(self.model)

    def _of(self, rows: Q) -> Q:
        # Asked row by row, not as a set: within an "or" PostgreSQL would draw up the whole set first.
        return Q(Exists(self._other._default_manager.filter(rows, **{self.to: OuterRef(self.column)}).order_by()))


@dataclass(frozen=True, slots=True)
class AnyOf(Reach):
    reaches: tuple[Reach, ...]

    def within(self, brands: Collection[UUID]) -> Q:
        either = NEVER
        for reach in self.reaches:
            either |= reach.within(brands)
        return either


@dataclass(frozen=True, slots=True)
class AllOf(Reach):
    reaches: tuple[Reach, ...]

    def within(self, brands: Collection[UUID]) -> Q:
        both = ALWAYS
        for reach in self.reaches:
            both &= reach.within(brands)
        return both


@dataclass(frozen=True, slots=True)
class OfOrganisation(Reach):
    """The machinery's own rows, of any brand: for those who see every brand."""

    def within(self, brands: Collection[UUID]) -> Q:
        return NEVER


@dataclass(frozen=True, slots=True)
class ForAll(Reach):
    """The same for everybody, and nobody's: kinds and codes."""

    def within(self, brands: Collection[UUID]) -> Q:
        return ALWAYS


def reach_of(model: type[Model]) -> Reach:
    """As the model declares it, else by its own `brand` and `squad`; a model with neither is nobody's to see."""
    declared = getattr(model, "reach", None)
    if isinstance(declared, Reach):
        return declared
    names = {field.name for field in model._meta.get_fields()}
    if "brand" not in names:
        return OfOrganisation()
    return ByBrand("brand", "squad" if "squad" in names else None)
