"""Verifying what comes to your webhook endpoint, after Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from libs.client.errors import SignatureInvalid

TOLERANCE_S = 300


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> Any:
    """The JSON of a webhook that was signed with `secret` within the last five minutes. SignatureInvalid.

    secret: `whsec_…`. headers: those of the request, whatever their case. body: its bytes as they came.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
        age = abs((time.time() if now is None else now) - int(timestamp))
    except (KeyError, ValueError):
        raise SignatureInvalid("The headers of a signed webhook are missing.") from None
    if age > TOLERANCE_S:
        raise SignatureInvalid("The webhook was signed too long ago, or a clock is wrong.")
    content = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest())
    if not any(hmac.compare_digest(expected, signature.encode(errors="replace")) for signature in signatures):
        raise SignatureInvalid("The webhook was not signed with this secret.")
    return json.loads(body)


def _key(secret: str) -> bytes:
    """An empty key is refused: everybody could sign with it."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    except ValueError:
        key = b""
    if not key:
        raise SignatureInvalid("The secret is not one of a webhook endpoint (whsec_…).")
    return key
