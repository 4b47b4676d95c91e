"""A visitor's token: a JWT signed by the shop's server (HS256): who is signed in (`sub`), and until when (`exp`).

A page can say that it is anybody; a token it can only hand on. Whoever steals one is that person until it ends, so it
may not last longer than a day.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from jwt.types import Options

from customers.accept.refusal import Refused

LONGEST: Final = timedelta(hours=24)
MOST_CHARACTERS: Final = 4_096
# Clocks of servers are not quite the same.
_LEEWAY: Final = timedelta(seconds=60)
_WHERE: Final = "/token"
# What it says is read by ourselves, and its times by our own clock.
_SIGNATURE_ALONE: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def read(token: str, secrets: Sequence[tuple[str, str]], now: datetime) -> str:
    """Whom it names; raises Refused unless one of these (id, secret) signed it and it holds now."""
    if len(token) > MOST_CHARACTERS:
        raise _invalid("The token is too long.")
    claims = _claims(token, secrets)
    ends = _moment(claims.get("exp"))
    if ends is None:
        raise _invalid("The token does not say when it ends.", "Give it exp, in seconds since 1970.")
    if ends + _LEEWAY <= now:
        raise Refused("token_expired", "The token has ended.", "Have your server sign a new one.", _WHERE)
    if ends - now > LONGEST + _LEEWAY:
        raise _invalid("The token lasts longer than a day.", "Let it end sooner, and sign a new one for each page.")
    begins = claims.get("nbf")
    if begins is not None and ((since := _moment(begins)) is None or since - _LEEWAY > now):
        raise _invalid("The token does not hold yet.")
    user = claims.get("sub")
    if type(user) is not str or not user.strip():
        raise _invalid("The token names nobody.", "Give it sub: the user id, as in identify.")
    return user


def _claims(token: str, secrets: Sequence[tuple[str, str]]) -> dict[str, Any]:
    for _id, secret in secrets:
        try:
            found: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ALONE)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            continue
        return found
    raise _invalid("The token is not signed by a secret of this source.")


def _moment(said: Any) -> datetime | None:
    if type(said) not in (int, float):
        return None
    try:
        return datetime.fromtimestamp(said, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _invalid(
    message: str, hint: str = "Sign it on your server, by HS256, with the source's visitor secret."
) -> Refused:
    return Refused("invalid_visitor_token", message, hint, _WHERE)
