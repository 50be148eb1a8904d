"""Which version of the key signs, and which are published; pure, so that every replica finds the same.

    made ──lead──> signs ──until the next one signs──> may still be met ──longest token──> gone

All of it follows from when each version was made, which the vault keeps: nothing has to be agreed on.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

KEY = "tokens"
SLACK = timedelta(minutes=1)
"""For clocks that differ, and for replicas that have not looked for a few seconds."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A version of the key. public_key: its 32 bytes (RFC 8032)."""

    version: int
    public_key: bytes
    made_at: datetime

    @property
    def kid(self) -> str:
        """What names it in the header of a token."""
        return f"{KEY}-v{self.version}"

    def jwk(self) -> dict[str, Any]:
        """As a JSON Web Key (RFC 7517, RFC 8037)."""
        x = urlsafe_b64encode(self.public_key).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA"}


def signing(keys: Sequence[TokenKey], now: datetime, lead: timedelta) -> TokenKey:
    """The newest that has been published for `lead`, so that every verifier has it; the first one at once.

    keys: by their version, at least one.
    """
    ready = [key for key in keys if key.made_at + lead <= now]
    return ready[-1] if ready else keys[0]


def published(
    keys: Sequence[TokenKey], now: datetime, lead: timedelta, longest: timedelta
) -> tuple[TokenKey, ...]:
    """Every key whose tokens may still be alive, and those that are yet to sign.

    longest: the life of a token.
    """
    living = [old for old, new in pairwise(keys) if new.made_at + lead + longest + SLACK > now]
    return (*living, *keys[-1:])
