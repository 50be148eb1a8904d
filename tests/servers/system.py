"""The whole system for a test, and tenants that call it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.local.demo.account import make_account
from deploy.local.supervisor import Supervisor
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import RevokeApiKey


@dataclass
class Caller:
    """A tenant and a client that calls the API with its key."""

    id: TenantId
    key_id: ApiKeyId
    key: SecretStr
    client: httpx.AsyncClient

    async def ended(self, batch_id: str, limit_s: float = 60) -> dict[str, Any]:
        """The batch once it has ended, from its event stream."""
        async with asyncio.timeout(limit_s):
            async with self.client.stream("GET", f"/api/v1/batches/{batch_id}/events") as response:
                response.raise_for_status()
                event = ""
                async for line in response.aiter_lines():
                    if line.startswith("event:"):
                        event = line.partition(":")[2].strip()
                    elif line.startswith("data:") and event == "batch":
                        batch: dict[str, Any] = json.loads(line.partition(":")[2])
                        return batch
        raise AssertionError("the stream of events ended before the batch did")


class System:
    """A running system."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor

    @property
    def api_url(self) -> str:
        return self.supervisor.addresses.api_url

    @asynccontextmanager
    async def tenant(self, name: str = "a shop") -> AsyncIterator[Caller]:
        """A new tenant with a key that the gateway knows."""
        tenant, key_id, key = await self.make_tenant(name)
        headers = {"authorization": f"Bearer {key.get_secret_value()}"}
        async with httpx.AsyncClient(base_url=self.api_url, headers=headers, timeout=30) as client:
            yield Caller(tenant, key_id, key, client)

    async def make_tenant(self, name: str) -> tuple[TenantId, ApiKeyId, SecretStr]:
        """A new tenant with a key that the gateway knows."""
        account = await make_account(self.supervisor.addresses, name)
        return account.tenant, account.key_id, account.key

    async def revoke(self, caller: Caller) -> None:
        bus = connect(self.supervisor.addresses.bus_url, flow.OPERATOR)
        await bus.start()
        try:
            await bus.request(RevokeApiKey(key_id=caller.key_id), tenant=caller.id)
        finally:
            await bus.close()
