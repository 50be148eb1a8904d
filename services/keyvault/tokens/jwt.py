"""The written form of a token: a JWS in compact serialisation (RFC 7515, 7.1) of the claims.

Profile of RFC 9068 by the advice of RFC 8725: one algorithm, a type of its own, and a key that is named by
its id and nothing else.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

from libs.common.contracts.tokens import Claims


def signing_input(kid: str, claims: Claims) -> bytes:
    """What is signed: header and claims."""
    header = {"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}
    body = claims.model_dump(mode="json", exclude_none=True, exclude={"test"} if not claims.test else set())
    return _part(header) + b"." + _part(body)


def compact(signed: bytes, signature: bytes) -> str:
    """The whole token."""
    return (signed + b"." + _encoded(signature)).decode()


def _part(value: dict[str, Any]) -> bytes:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
