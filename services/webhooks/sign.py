"""Signatures after Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, spec section
"Signature scheme"): HMAC-SHA256 over `id.timestamp.body`, symmetric scheme `v1`, secrets `whsec_<base64>`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from pydantic import SecretStr

Secret = SecretStr
"""`whsec_` and the base64 of 24 to 64 random bytes."""

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> Secret:
    """A signing secret of 256 bits."""
    return SecretStr(_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def headers(webhook_id: str, timestamp: int, body: bytes, signing: Sequence[Secret]) -> dict[str, str]:
    """The three headers; a signature for each secret, so that both verify while one replaces another."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in signing),
    }


def _signature(secret: Secret, content: bytes) -> str:
    key = base64.b64decode(secret.get_secret_value().removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
