"""What people said to the purposes that ad platforms ask about, as these want to be told (Google: `ad_user_data` and
`ad_personalization`, each granted, denied or unspecified); nobody is told as granted who did not say so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.db import connection

from consent.models import Purpose
from consent.rules import GIVEN, REFUSED, Said, standing

Signal = Literal["granted", "denied", "unspecified"]
_SIGNALS: Final[Mapping[str, Signal]] = {GIVEN: "granted", REFUSED: "denied"}
# Every voice of a customer on a purpose: their profiles', at whatever address, and what binds their addresses.
_SAID: Final = """
    SELECT p.customer_id, h.purpose_id, h.state, h.valid_until
    FROM customers_profile p JOIN consent_consenthead h ON h.profile_id = p.id
    WHERE p.customer_id = ANY(%(customers)s) AND h.purpose_id = ANY(%(purposes)s)
    UNION ALL
    SELECT p.customer_id, h.purpose_id, h.state, h.valid_until
    FROM customers_profile p
    JOIN customers_addressprofile ap ON ap.profile_id = p.id
    JOIN consent_consenthead h ON h.address_id = ap.address_id AND h.profile_id IS NULL
    WHERE p.customer_id = ANY(%(customers)s) AND h.purpose_id = ANY(%(purposes)s)
"""


def ad_signals(customers: Sequence[UUID], brand_id: UUID, now: datetime) -> dict[UUID, dict[str, Signal]]:
    """For each customer the signals that the brand has a purpose for, by one statement; of several purposes for one
    signal, and of several voices, the strictest counts."""
    asked = dict(Purpose.objects.filter(brand=brand_id).exclude(ad_signal="").values_list("pk", "ad_signal"))
    said: dict[tuple[UUID, UUID], list[Said]] = defaultdict(list)
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(_SAID, {"customers": list(customers), "purposes": list(asked)})
            for customer, purpose, state, until in cursor.fetchall():
                said[customer, purpose].append(Said("", "", state, until))
    told: dict[UUID, dict[str, Signal]] = {customer: {} for customer in customers}
    for customer, signals in told.items():
        for purpose, name in asked.items():
            found = _SIGNALS.get(standing(said[customer, purpose], now), "unspecified")
            signals[name] = min(signals.get(name, found), found, key=_STRICTEST.index)
    return told


_STRICTEST: Final = ("denied", "unspecified", "granted")
