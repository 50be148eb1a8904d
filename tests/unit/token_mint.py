"""A mint for access tokens: with a key of its own, and with whatever else an attacker would write."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.common.contracts.access import Permission
from libs.common.contracts.ids import TenantId, TokenId, UserId
from libs.common.contracts.tokens import Realm, TokenKeys
from services.gateway.auth.token_keys import TokenKeyBook
from services.keyvault.tokens.rules import TokenKey

TENANT = TenantId.new()


@dataclass
class Mint:
    """Signs with the version that is named; `asked`: how often the keys were asked for."""

    version: int = 1
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    asked: int = 0

    @property
    def key(self) -> TokenKey:
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return TokenKey(self.version, raw, datetime.now(UTC))

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "EdDSA", "kid": self.key.kid, "typ": "at+jwt"}

    def book(self) -> TokenKeyBook:
        """Somebody who asks this mint for its keys."""
        return TokenKeyBook(self.keys)

    async def keys(self) -> TokenKeys:
        self.asked += 1
        return TokenKeys(keys=(self.key.jwk(),))

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what is said otherwise; a claim of None is left out."""
        body = {**good_claims(), **claims}
        return self.signed(
            header or self.header, {name: value for name, value in body.items() if value is not None}
        )

    def signed(self, header: Any, body: Any) -> str:
        signed = f"{part(header)}.{part(body)}"
        return f"{signed}.{encoded(self.private.sign(signed.encode()))}"


def good_claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "mannequin",
        "aud": Realm.TENANT.value,
        "sub": UserId.new(),
        "tenant_id": TENANT,
        "scope": f"{Permission.IMAGES_READ} {Permission.USAGE_READ}",
        "jti": TokenId.new(),
        "iat": now,
        "exp": now + 600,
    }


def part(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
