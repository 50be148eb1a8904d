"""A tenant and its API keys for asyncio. `sync.py` is the same for ordinary code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from libs.client.models import Page
from libs.client.tenant import calls
from libs.client.tenant.models import ApiKey, KeyTerms, Tenant

if TYPE_CHECKING:
    from libs.client.aio import AsyncTransport


class AsyncOwnTenant:
    """`client.tenant`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(self) -> Tenant:
        """How it stands, and what it bought."""
        return await self._transport.send(calls.get_tenant())

    async def change(self, *, name: str | None = None, contact_email: str | None = None) -> Tenant:
        """What is None stays as it is; an empty contact is taken away."""
        return await self._transport.send(calls.change_tenant(name, contact_email))


class AsyncApiKeys:
    """`client.api_keys`, for whoever is signed in: no API key can issue or change another."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self, cursor: str | None = None, limit: int = 50, *, active: bool = False) -> Page[ApiKey]:
        """The oldest first. active: only those that still work."""
        return await self._transport.send(calls.list_api_keys(cursor, limit, active=active))

    async def issue(self, *, idempotency_key: str | None = None, **terms: Unpack[KeyTerms]) -> ApiKey:
        """A new key, with its `secret` this once; None in a repeat under the same idempotency key."""
        return await self._transport.send(calls.issue_api_key(terms, idempotency_key))

    async def get(self, key_id: str) -> ApiKey:
        return await self._transport.send(calls.get_api_key(key_id))

    async def change(
        self,
        key_id: str,
        *,
        label: str | None = None,
        scopes: Sequence[str] | None = None,
        allowed_ips: Sequence[str] | None = None,
    ) -> ApiKey:
        """What is None stays as it is; scopes can only be taken away."""
        return await self._transport.send(calls.change_api_key(key_id, label, scopes, allowed_ips))

    async def rotate(
        self,
        key_id: str,
        *,
        overlap_s: int | None = None,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> ApiKey:
        """A key in its place, with its `secret` this once. overlap_s: both work so long; a day if None."""
        return await self._transport.send(
            calls.rotate_api_key(key_id, overlap_s, expires_at, idempotency_key)
        )

    async def revoke(self, key_id: str) -> None:
        await self._transport.send(calls.revoke_api_key(key_id))
