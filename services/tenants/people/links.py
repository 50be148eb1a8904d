"""Secrets that are a way in by themselves: of links, and of sessions that are refreshed.

One looks like `ten_….usr_….8sZ0pQm41x…`: whose it is, the row that knows it, and 256 random bits. Nothing but
its SHA-256 is kept: it can't be guessed, so it needs no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Generic, TypeVar

from libs.common.contracts.ids import Id, TenantId

SomeId = TypeVar("SomeId", bound=Id)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Presented(Generic[SomeId]):
    """What a token says of itself, and the hash to compare with its row. tenant: None for the staff's."""

    tenant: TenantId | None
    row: SomeId
    sha256: str


def new_token(row: Id, tenant: TenantId | None = None) -> str:
    """A token for a row."""
    return _told(row, tenant, secrets.token_urlsafe(_BYTES))


def following(token: str, row: Id, tenant: TenantId | None, seed: bytes) -> str:
    """The token after `token`: the same each time for the same seed, and unknown to whoever lacks either."""
    digest = hmac.digest(seed, token.encode(), "sha256")
    return _told(row, tenant, base64.urlsafe_b64encode(digest).decode().rstrip("="))


def presented(text: str, kind: type[SomeId], *, of_tenant: bool = True) -> Presented[SomeId] | None:
    """What `text` says; None if it has not the form."""
    parts = text.split(".")
    if len(text) > 300 or len(parts) != (3 if of_tenant else 2):
        return None
    try:
        tenant = TenantId(parts[0]) if of_tenant else None
        return Presented(tenant, kind(parts[-2]), digest(text))
    except ValueError:
        return None


def digest(text: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _told(row: Id, tenant: TenantId | None, secret: str) -> str:
    return ".".join([*([tenant] if tenant else []), row, secret])
