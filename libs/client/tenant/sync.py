"""A tenant and its API keys for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from libs.client.models import Page
from libs.client.tenant import calls
from libs.client.tenant.models import ApiKey, KeyTerms, Tenant

if TYPE_CHECKING:
    from libs.client.sync import Transport


class OwnTenant:
    """`client.tenant`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self) -> Tenant:
        """How it stands, and what it bought."""
        return self._transport.send(calls.get_tenant())

    def change(self, *, name: str | None = None, contact_email: str | None = None) -> Tenant:
        """What is None stays as it is; an empty contact is taken away."""
        return self._transport.send(calls.change_tenant(name, contact_email))


class ApiKeys:
    """`client.api_keys`, for whoever is signed in: no API key can issue or change another."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, cursor: str | None = None, limit: int = 50, *, active: bool = False) -> Page[ApiKey]:
        """The oldest first. active: only those that still work."""
        return self._transport.send(calls.list_api_keys(cursor, limit, active=active))

    def issue(self, *, idempotency_key: str | None = None, **terms: Unpack[KeyTerms]) -> ApiKey:
        """A new key, with its `secret` this once; None in a repeat under the same idempotency key."""
        return self._transport.send(calls.issue_api_key(terms, idempotency_key))

    def get(self, key_id: str) -> ApiKey:
        return self._transport.send(calls.get_api_key(key_id))

    def change(
        self,
        key_id: str,
        *,
        label: str | None = None,
        scopes: Sequence[str] | None = None,
        allowed_ips: Sequence[str] | None = None,
    ) -> ApiKey:
        """What is None stays as it is; scopes can only be taken away."""
        return self._transport.send(calls.change_api_key(key_id, label, scopes, allowed_ips))

    def rotate(
        self,
        key_id: str,
        *,
        overlap_s: int | None = None,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> ApiKey:
        """A key in its place, with its `secret` this once. overlap_s: both work so long; a day if None."""
        return self._transport.send(calls.rotate_api_key(key_id, overlap_s, expires_at, idempotency_key))

    def revoke(self, key_id: str) -> None:
        self._transport.send(calls.revoke_api_key(key_id))
