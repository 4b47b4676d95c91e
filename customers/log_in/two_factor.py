"""Codes of an authenticator app (RFC 6238) and recovery codes: set up, confirmed, asked for, reset."""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django_otp.oath import hotp

from customers.models import Authenticator, RecoveryCode
from customers.sealing import open_sealed, seal

_STEP: Final = 30
_CODES: Final = 10
# Clocks of telephones are off by less than a step.
_STEPS_OFF: Final = (0, -1, 1)


def is_set_up(user: User) -> bool:
    return Authenticator.objects.filter(user=user, confirmed_at__isnull=False).exists()


def is_required(user: User) -> bool:
    """Of everybody where the installation asks for it, and of everybody who has set it up."""
    return bool(settings.TRILHA_REQUIRE_2FA) or is_set_up(user)


def begin(user: User, now: datetime) -> Authenticator:
    """An authenticator yet to be confirmed: the one begun before, or a new one."""
    new = Authenticator(user=user, created_at=now)
    new.secret = seal({"secret": secrets.token_hex(20)}, place(new))
    made, _is_new = Authenticator.objects.get_or_create(
        user=user, defaults={"id": new.id, "secret": new.secret, "created_at": now}
    )
    return made


def written_secret(authenticator: Authenticator) -> str:
    """For those who type it into the app instead of taking a picture."""
    return b32encode(_secret(authenticator)).decode().rstrip("=")


def address(authenticator: Authenticator) -> str:
    """What the picture says: the key URI that authenticator apps read."""
    label = quote(f"Trilha:{authenticator.user.get_username()}")
    return f"otpauth://totp/{label}?" + urlencode({"secret": written_secret(authenticator), "issuer": "Trilha"})


@transaction.atomic
def confirm(user: User, code: str, now: datetime) -> list[str] | None:
    """Take the app into use if it shows the right code; the recovery codes, which nobody will see again."""
    authenticator = Authenticator.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if authenticator is None or not _take(authenticator, code, now):
        return None
    authenticator.confirmed_at = now
    authenticator.save(update_fields=["confirmed_at"])
    return new_recovery_codes(user)


@transaction.atomic
def verify(user: User, code: str, now: datetime) -> str | None:
    """`app` or `recovery` if the code is right, and never again after that."""
    authenticator = Authenticator.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
    if authenticator is None:
        return None
    if _take(authenticator, code, now):
        return "app"
    used = RecoveryCode.objects.filter(user=user, digest=_digest(user, code), used_at=None).update(used_at=now)
    return "recovery" if used else None


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten codes of 80 random bits in place of all former ones."""
    RecoveryCode.objects.filter(user=user).delete()
    texts = [b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, text)) for text in texts)
    return ["-".join(text[start : start + 4] for start in range(0, len(text), 4)) for text in texts]


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def reset(user: User) -> bool:
    """Forget app and codes: the next log-in sets up anew. True if there was something to forget."""
    RecoveryCode.objects.filter(user=user).delete()
    forgotten, _by_model = Authenticator.objects.filter(user=user).delete()
    return bool(forgotten)


def _take(authenticator: Authenticator, code: str, now: datetime) -> bool:
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return False
    key, step = _secret(authenticator), int(now.timestamp()) // _STEP
    for off in _STEPS_OFF:
        shown = hotp(key, step + off)
        if step + off > authenticator.last_step and hmac.compare_digest(f"{shown:06}", digits):
            authenticator.last_step = step + off
            authenticator.save(update_fields=["last_step"])
            return True
    return False


def _secret(authenticator: Authenticator) -> bytes:
    opened = open_sealed(bytes(authenticator.secret), place(authenticator))
    return bytes.fromhex(str(opened["secret"]))


def place(authenticator: Authenticator) -> str:
    """What the sealed secret is bound to."""
    return f"customers_authenticator:{authenticator.id}:secret"


def _digest(user: User, code: str) -> bytes:
    """Of 80 random bits a plain digest gives nothing away."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return sha256(f"{user.pk}:{plain}".encode(errors="replace")).digest()
