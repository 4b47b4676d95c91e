"""The journey that an operator names."""

from django.core.management.base import CommandError

from journeys.models import Journey


def find_journey(key: str, brand: str | None) -> Journey:
    """By its key, and that of its brand where several have one of this key; raises CommandError."""
    found = Journey.objects.select_related("brand", "live_version").filter(key=key)
    journeys = list(found.filter(brand__key=brand) if brand else found)
    if not journeys:
        raise CommandError(f"there is no journey {key!r}" + (f" in brand {brand!r}" if brand else ""))
    if len(journeys) > 1:
        brands = ", ".join(sorted(journey.brand.key for journey in journeys))
        raise CommandError(f"several brands have a journey {key!r}; add --brand, one of: {brands}")
    return journeys[0]
