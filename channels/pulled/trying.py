"""Trying out what a version pulls: each address asked once, whatever is known and whoever rests, and nothing kept."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.liquid import Reader
from channels.models import PulledSource, TemplateVersion
from channels.pulled import hosts
from channels.pulled.address import AddressError, fill, host_of
from channels.pulled.fetching import Got, Missed, fetch
from channels.templates import TemplateError


@dataclass(frozen=True, slots=True)
class Tried:
    source: PulledSource
    # Shown to whoever gave the values in it.
    url: str
    came: Got | Missed
    milliseconds: int

    @property
    def value(self) -> Any:
        return self.came.value if isinstance(self.came, Got) else None

    @property
    def why(self) -> str:
        return self.came.why if isinstance(self.came, Missed) else ""


def try_out(version: TemplateVersion, context: Mapping[str, Any], now: datetime) -> list[Tried]:
    brand = version.template.brand
    listed = hosts.of_brands([brand.pk])
    said = {"brand": {"name": brand.name, "postal_address": brand.postal_address}, **context}
    found = []
    for source in PulledSource.objects.filter(version=version).order_by("name"):
        begun, url = time.monotonic(), ""
        try:
            url = fill(source.url, said, Reader(now, brand.locale, brand.zone, brand.currency))
            host = listed.get((brand.pk, host_of(source.url)))
            came: Got | Missed = (
                fetch(url, host.secret, source.timeout_ms / 1000)
                if host is not None
                else Missed("its host is not on the brand’s list")
            )
        except (TemplateError, AddressError) as error:
            came = Missed(str(error))
        found.append(Tried(source, url, came, round((time.monotonic() - begun) * 1000)))
    return found
