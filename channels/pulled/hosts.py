"""The hosts of a brand from which content may be pulled, with what each is asked by; one in trouble rests."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from channels.models import PulledHost
from channels.secrets import SecretError, open_sealed
from customers.pg import raw_cursor

# So many in a row are the host's fault; then it is tried by one question at a time, less and less often.
FAILURES: Final = 3
_FIRST_REST: Final = timedelta(seconds=15)
_LAST_REST: Final = timedelta(minutes=5)
_FARED: Final = """
    UPDATE channels_pulledhost SET failures = %(failures)s, rests = %(rests)s, rests_until = %(until)s,
        detail = %(detail)s WHERE id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Host:
    id: UUID
    secret: str
    failures: int
    rests: int
    rests_until: datetime | None

    def is_resting(self, now: datetime) -> bool:
        return self.rests_until is not None and self.rests_until > now

    @property
    def is_shaken(self) -> bool:
        return self.failures >= FAILURES


def place(host: PulledHost) -> str:
    """To what its secret is bound."""
    return f"channels_pulledhost:{host.pk}:secret"


def secret_of(host: PulledHost) -> str:
    """Raises SecretError."""
    held = open_sealed(bytes(host.secret), place(host))
    return str(held.get("token", ""))


def of_brands(brand_ids: Collection[UUID]) -> Mapping[tuple[UUID, str], Host]:
    """One whose secret cannot be read is none: it would be asked as somebody else."""
    found = {}
    for row in PulledHost.objects.filter(brand_id__in=brand_ids):
        try:
            secret = secret_of(row)
        except SecretError:
            continue
        found[row.brand_id, row.host] = Host(row.pk, secret, row.failures, row.rests, row.rests_until)
    return found


def fared(host: Host, *, well: bool, failures: int, why: str, now: datetime) -> None:
    """What came of asking it: nothing is written of one that fares well as before."""
    if well and not host.failures:
        return
    total = 0 if well else host.failures + failures
    rests = host.rests + 1 if total >= FAILURES else 0
    rest = min(_LAST_REST, _FIRST_REST * int(2 ** min(rests - 1, 10))) if rests else None
    values = {
        "id": host.id,
        "failures": total,
        "rests": rests,
        "until": now + rest if rest else None,
        "detail": "" if well else why[:60],
    }
    with raw_cursor() as cursor:
        cursor.execute(_FARED, values)
