"""Verifying access tokens (RFC 7519, profile of RFC 9068) by the advice of RFC 8725.

There is one algorithm, and nothing in a token has a say in how it is verified but the name of one of our own
keys: the header has just the three members that ours have, with just these values, so that neither `none`
nor another algorithm, no key in the header (`jwk`) and none at an address (`jku`, `x5u`) ever gets as far
as a key. What was verified once is remembered by its digest until it runs out; whether it was revoked is
looked at each time.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from pydantic import ValidationError

from libs.common.contracts.tokens import Claims, Realm
from services.gateway.auth.token_keys import TokenKeyBook
from services.gateway.errors import TokenExpired, TokenInvalid

LEEWAY_S = 5
"""For clocks that differ."""
LONGEST_S = 3600
MOST_CHARACTERS = 4096
MOST_REMEMBERED = 50_000
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
"""A JWS in compact serialisation (RFC 7515, 7.1) with a signature of 64 bytes."""


class TokenCheck:
    """Tells what a token says, if it can be believed."""

    def __init__(
        self,
        keys: TokenKeyBook,
        *,
        most: int = MOST_REMEMBERED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._most = most
        self._clock = clock
        self._remembered: OrderedDict[bytes, Claims] = OrderedDict()

    async def check(self, token: str) -> Claims:
        """The claims of a token that we signed and that has not run out. TokenInvalid, TokenExpired.

        Unavailable while no key is known at all.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        claims = self._remembered.get(digest)
        if claims is None:
            claims = await self._verified(token)
            self._remember(digest, claims)
        else:
            self._remembered.move_to_end(digest)
        if claims.exp + LEEWAY_S <= self._clock():
            del self._remembered[digest]
            raise TokenExpired
        return claims

    async def _verified(self, token: str) -> Claims:
        if len(token) > MOST_CHARACTERS or not _FORM.fullmatch(token):
            raise TokenInvalid
        header, body, signature = token.split(".")
        key = await self._keys.find(kid_of(header))
        if key is None:
            raise TokenInvalid
        try:
            key.verify(_decoded(signature), f"{header}.{body}".encode())
        except InvalidSignature:
            raise TokenInvalid from None
        return claims_of(_decoded(body), self._clock())

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._remembered[digest] = claims
        if len(self._remembered) > self._most:
            self._remembered.popitem(last=False)


def kid_of(header: str) -> str:
    """The name of the key, of a header that is exactly like ours. TokenInvalid."""
    try:
        said = json.loads(_decoded(header))
    except (ValueError, RecursionError):
        raise TokenInvalid from None
    kid = said.get("kid") if isinstance(said, dict) else None
    if not isinstance(kid, str) or said != {"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}:
        raise TokenInvalid
    return kid


def claims_of(body: bytes, now: float) -> Claims:
    """What a token says whose signature is good. TokenInvalid if it is not one of the API's."""
    try:
        claims = Claims.model_validate_json(body, strict=True)
    except ValidationError:
        raise TokenInvalid from None
    of_tenant = claims.aud is Realm.TENANT
    if "iss" not in claims.model_fields_set:  # it has a default, for who issues
        raise TokenInvalid
    if of_tenant != (claims.tenant_id is not None) or (claims.acting_for and not of_tenant):
        raise TokenInvalid
    if claims.iat > now + LEEWAY_S or not 0 < claims.exp - claims.iat <= LONGEST_S:
        raise TokenInvalid
    return claims


def looks_like_token(text: str) -> bool:
    """Whether a credential is meant as a token: a key has no dots."""
    return "." in text


def _decoded(part: str) -> bytes:
    """Of base64url without padding (RFC 7515, 2). TokenInvalid for bits that say nothing: one form alone."""
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenInvalid from None
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise TokenInvalid
    return raw
