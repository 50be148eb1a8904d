"""Codes of authenticator apps (TOTP, RFC 6238) and the recovery codes beside them."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

import pyotp

from services.tenants.people.links import digest

STEP_S = 30
RECOVERY_CODES = 10
_AROUND = (0, -1, 1)
"""Steps that a code may be of, relative to now: clocks differ, and fingers take their time."""
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


def new_secret() -> str:
    """160 bits, base 32."""
    return pyotp.random_base32()


def uri(secret: str, account: str, issuer: str) -> str:
    """The otpauth:// form, for a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The time step that `code` is of, if that is about now and later than `after`; None if not.

    after: the step of the last code that was taken, so that none is taken twice.
    """
    given = code.strip().replace(" ", "")
    current = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for step in (current + shift for shift in _AROUND):
        right = hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())
        if right and step > after:
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Ten of 59 bits each, such as `7kq2-mx9p-v4ct`."""
    return ["-".join(_random(4) for _ in range(3)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code, however it was typed."""
    return digest("".join(code.lower().split()).replace("-", ""))


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
