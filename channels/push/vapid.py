"""Who we are to push services (RFC 8292): a token for each, signed by the connector's key."""

from datetime import datetime, timedelta
from typing import Final

import jwt

from channels.push.points import private_of, public_of

# They refuse what is good for longer than a day; half leaves room for clocks that differ.
GOOD_FOR: Final = timedelta(hours=12)


class Vapid:
    """The header for each push service, signed once and used for a batch."""

    def __init__(self, private: str, contact: str) -> None:
        self._key = private_of(private)
        self._contact = contact
        self.public = public_of(private)
        self._signed: dict[str, str] = {}

    def authorization(self, origin: str, now: datetime) -> str:
        token = self._signed.get(origin)
        if token is None:
            claims = {"aud": origin, "exp": now + GOOD_FOR, "sub": self._contact}
            token = self._signed[origin] = jwt.encode(claims, self._key, algorithm="ES256")
        return f"vapid t={token}, k={self.public}"
