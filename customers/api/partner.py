"""Who calls the partner API: the bearer token, found, counted against its limit, and asked for its scope."""

import math
from datetime import datetime

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from customers import clock, tokens
from customers.accept.refusal import Refused, TooMuch
from customers.calls import Count
from customers.partner import Partner

# Addresses are logged by every server on the way: a token is refused there even when a good one is in the header.
_TOKEN_NAMES = frozenset(("access_token", "api_key", "apikey", "authorization", "token", "write_key", "writekey"))
REALM = 'Bearer realm="Trilha"'


def too_many_calls(count: Count, whose: str) -> TooMuch:
    """The limit is reached; after so many seconds it counts anew."""
    seconds = max(1, math.ceil(count.renews_in.total_seconds()))
    message = f"The {whose}'s calls for this minute are used up."
    return TooMuch(seconds, "rate_limited", message, f"Call again in {seconds} s.")


class PartnerAuthentication(BaseAuthentication):
    """`request.user` becomes the partner; whoever brings no valid token is refused, never anonymous."""

    def authenticate(self, request: Request) -> tuple[Partner, None]:
        return partner_of(request._request, clock.utcnow()), None

    def authenticate_header(self, request: Request) -> str:
        return REALM


def partner_of(request: HttpRequest, now: datetime) -> Partner:
    """The partner whose token is in the header, or the same refusal whatever is wrong with it."""
    refuse_in_address(request)
    scheme, _, plaintext = request.headers.get("Authorization", "").partition(" ")
    partner = tokens.find(plaintext.strip(), now) if scheme.lower() == "bearer" and plaintext.strip() else None
    if partner is None:
        raise Refused(
            "invalid_token",
            "No valid token.",
            "Send Authorization: Bearer with a token that has neither expired nor been revoked.",
        )
    return partner


def refuse_in_address(request: HttpRequest) -> None:
    for name, values in request.GET.lists():
        if name.lower() in _TOKEN_NAMES or any(value.startswith(tokens.MARK) for value in values):
            raise Refused(
                "invalid_token",
                "Tokens do not belong into addresses, which are logged.",
                "Send it in the Authorization header, and have one that was in an address revoked.",
            )


def count_call(partner: Partner, now: datetime) -> Count:
    """Count the call, or raise TooMuch. The key is the token: no address can be changed to get round it."""
    count = tokens.count(partner, now)
    if count.left is None:
        raise too_many_calls(count, "token")
    return count


def require_scope(partner: Partner, scope: str) -> None:
    if scope not in partner.scopes:
        raise Refused("insufficient_scope", f"The token lacks the scope {scope}.", "Use a token that has it.")
