"""What an ID token must say to be believed: a pure rule (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.tenants.people.errors import SsoFailed

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of public keys alone: with a shared secret, whoever may check could also sign."""
_KINDS = frozenset({"RSA", "EC", "OKP"})
_LEEWAY_S = 60


@dataclass(frozen=True, slots=True)
class Expected:
    """What our own sign-in asked for."""

    issuer: str
    client_id: str
    nonce: str


def checked(token: str, keys: Mapping[str, Any], expected: Expected, now: datetime) -> dict[str, Any]:
    """The claims of an ID token. SsoFailed says what is wrong with it.

    keys: the issuer's JWK set, as it was read.
    """
    try:
        claims = jwt.decode(token, _public(keys), algorithms=ALGORITHMS).claims
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": expected.issuer},
            aud={"essential": True, "value": expected.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SsoFailed(f"The ID token can't be taken: {type(error).__name__}.") from None
    _same_party(claims, expected.client_id)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.nonce.encode()):
        raise SsoFailed("The ID token is the answer to another sign-in.")
    return claims


def _public(keys: Mapping[str, Any]) -> KeySet:
    found = [key for key in keys.get("keys", ()) if isinstance(key, dict) and key.get("kty") in _KINDS]
    signing = [key for key in found if key.get("use", "sig") == "sig"]
    return KeySet.import_key_set({"keys": signing})


def _same_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Of several audiences, the one that the token was issued to must be us; `sub` is what we pin."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    party = claims.get("azp")
    if (several or party is not None) and party != client_id:
        raise SsoFailed("The ID token was issued to another party.")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SsoFailed("The ID token names nobody.")
