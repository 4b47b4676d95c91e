"""What some of the company's customers have asked by law: one to be told, one to be erased, one who was refused."""

from datetime import datetime, timedelta
from typing import Final

from config.demo.brands import BRANDS
from consent.privacy import requests
from consent.privacy.requests import Asking
from customers.ids import NIL
from customers.models import Brand, Identifier
from customers.privacy.subject import Naming

_LAWS: Final = {"BR": "lgpd", "AU": "app"}
# Kind, channel, how well the identity was checked, and how many days ago.
_ASKED: Final = (("access", "form", 3, 4), ("erasure", "email", 2, 11), ("objection", "phone", 0, 20))


def ask(now: datetime) -> int:
    """Take them down as if they had come in lately; how many."""
    count = 0
    for told in BRANDS:
        brand = Brand.objects.get(key=told.key)
        known = Identifier.objects.filter(kind_id="email", profile__brands__brand=brand, closed_at=None).order_by("id")
        for (kind, channel, assurance, days), one in zip(_ASKED, known[: len(_ASKED)], strict=False):
            at = now - timedelta(days=days)
            names = [Naming(NIL, "email", one.value, one.original)]
            asking = Asking(
                brand=brand, kind=kind, law=_LAWS[told.country], channel=channel, names=names, assurance=assurance
            )
            request = requests.take_down(asking, at)
            if not assurance:
                requests.refuse(request, "identity", at + timedelta(days=1), None)
            count += 1
    return count
