"""Where an image is fetched, by the name of its file."""

import re
from typing import Final

from django.conf import settings

# As channels.images.library makes them.
NAME: Final = re.compile(r"[0-9a-f]{32}\.(?:jpeg|png|gif|webp)")
PATH: Final = "/i/"


def address_of(file: str) -> str:
    """On the host that is for images alone, where there is one."""
    base: str = settings.TRILHA_ASSETS_URL or settings.TRILHA_PUBLIC_URL
    return f"{base}{PATH}{file}"
