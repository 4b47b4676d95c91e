"""How the staff pages look: the settings of django-unfold."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# A trail through green country. 600 carries white text, 500 stands on dark ground, both at 4.5 to 1.
_PRIMARY: Final = {
    "50": "oklch(98.2% .015 170)",
    "100": "oklch(95% .04 170)",
    "200": "oklch(90% .075 170)",
    "300": "oklch(83.5% .11 170)",
    "400": "oklch(76% .125 170)",
    "500": "oklch(68% .12 170)",
    "600": "oklch(49% .092 172)",
    "700": "oklch(43% .08 174)",
    "800": "oklch(37% .066 176)",
    "900": "oklch(31.5% .053 178)",
    "950": "oklch(22% .038 180)",
}


def _static(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def environment(request: HttpRequest) -> list[Any] | None:
    """What stands beside the user's name, so that nobody takes a demo for the real thing."""
    return [_("Demo"), "info"] if settings.TRILHA_DEMO else None


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Trilha",
    "SITE_HEADER": "Trilha",
    "SITE_SUBHEADER": _("Every customer’s way, in one place"),
    "SITE_SYMBOL": "conversion_path",
    "SITE_URL": None,
    "ENVIRONMENT": "config.unfold.environment",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PRIMARY},
    "STYLES": [_static("trilha/admin.css")],
    "SCRIPTS": [_static("trilha/admin.js")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.navigation.navigation"},
    "ACCOUNT": {"navigation": [{"title": _("Two-factor log-in"), "link": reverse_lazy("two-factor")}]},
    "COMMAND": {"search_models": False, "show_history": False},
}
