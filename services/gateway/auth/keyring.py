"""All API keys in memory, so that a request costs no round trip."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from libs.common.api_keys import parse
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from libs.common.db import Row
from services.gateway.auth.caller import Caller


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What recognises a key (`sha256`, hex, of the whole of it) and whose it is."""

    public_id: str
    sha256: str
    caller: Caller
    revoked: bool

    @classmethod
    def of(cls, row: Row) -> KnownKey:
        caller = Caller(TenantId(row["tenant_id"]), ApiKeyId(row["id"]), KeyMode(row["mode"]))
        return cls(row["public_id"], row["sha256"], caller, row["revoked_at"] is not None)


class KeyRing:
    """Keys by their public id."""

    def __init__(self) -> None:
        self._keys: dict[str, KnownKey] = {}
        self._revoked: set[ApiKeyId] = set()

    def learn(self, keys: Iterable[KnownKey]) -> None:
        """Add keys, or replace what is known of them."""
        for key in keys:
            self._keys[key.public_id] = key
            if key.revoked:
                self._revoked.add(key.caller.key_id)

    def admits(self, caller: Caller) -> bool:
        """Whether the key that was found for `caller` is still good: an answer may outlast it."""
        return caller.key_id not in self._revoked

    def find(self, text: str) -> Caller | None:
        """Whose key `text` is; None if it is malformed, unknown or revoked."""
        presented = parse(text)
        known = self._keys.get(presented.public_id) if presented else None
        if presented is None or known is None or known.revoked:
            return None
        return known.caller if hmac.compare_digest(known.sha256, presented.sha256) else None
