"""What the weekly letter pulls as it is made: how much of the week's lots is left, as the roaster's own system tells.

What stands in for that system is the same that keeps the stamp cards (config.demo.club); where it is not at work, the
letter says what stands in for an answer.
"""

from typing import Final
from urllib.parse import urlsplit

from channels.models import PulledHost, PulledSource, TemplateVersion
from channels.pulled.hosts import place
from channels.secrets import seal
from config.demo.brands import BrandPlan

NAME: Final = "roaster"
LETTER: Final = "roasted-this-week"
_PATH: Final = "/lots/"
# Without an answer the letter says no number.
_FALLBACK: Final[dict[str, int]] = {}


def pull(plan: BrandPlan, version: TemplateVersion) -> None:
    """Have the words of this version know it; where to ask is told by `find`."""
    PulledSource.objects.create(
        version=version,
        name=NAME,
        url=f"https://roaster.{plan.site}{_PATH}{plan.key}",
        cache_seconds=60,
        missing=PulledSource.Missing.FALLBACK,
        fallback=_FALLBACK,
    )


def find(address: str | None) -> None:
    """Tell every brand where the roaster answers now, and let it be asked there; or nowhere."""
    sources = PulledSource.objects.filter(name=NAME).select_related("version__template__brand")
    brands = {source.version.template.brand for source in sources}
    PulledHost.objects.filter(brand__in=brands).delete()
    if address is None:
        return
    for brand in sorted(brands, key=lambda one: one.key):
        host = PulledHost(brand=brand, host=address)
        host.secret = seal({}, place(host))
        host.save()
    for source in sources:
        source.url = f"http://{address}{urlsplit(source.url).path}"
        source.save(update_fields=["url"])
