"""A tenant and an API key of a local system, as an operator would make them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from deploy.local.environment import Addresses
from deploy.local.state import State, write_private
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import CreateTenant, IssueApiKey

_KNOWN_WITHIN_S = 10.0


@dataclass(frozen=True)
class Account:
    """Who calls the API."""

    tenant: TenantId
    key_id: ApiKeyId
    key: SecretStr

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key.get_secret_value()}"}


async def make_account(addresses: Addresses, name: str) -> Account:
    """A new tenant with a key that the gateway knows."""
    bus = connect(addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        tenant = await bus.request(CreateTenant(name=name))
        issued = await bus.request(IssueApiKey(label=name), tenant=tenant.id)
    finally:
        await bus.close()
    account = Account(tenant.id, issued.key.id, issued.secret)
    async with asyncio.timeout(_KNOWN_WITHIN_S):
        while not await is_known(addresses, account):
            await asyncio.sleep(0.02)
    return account


async def is_known(addresses: Addresses, account: Account) -> bool:
    """Whether the gateway takes the key: it hears of new ones by an event, a moment later."""
    async with httpx.AsyncClient(base_url=addresses.api_url, headers=account.headers) as client:
        return (await client.get("/api/v1/batches", params={"limit": 1})).is_success


async def kept_account(addresses: Addresses, state: State, name: str) -> Account:
    """The account of the last run if it still works, else a new one, kept in the state folder (0600)."""
    file = state.root / "demo.json"
    if file.exists():
        kept = json.loads(file.read_text())
        account = Account(TenantId(kept["tenant"]), ApiKeyId(kept["key_id"]), SecretStr(kept["key"]))
        if await is_known(addresses, account):
            return account
    account = await make_account(addresses, name)
    secret = account.key.get_secret_value()
    write_private(file, json.dumps({"tenant": account.tenant, "key_id": account.key_id, "key": secret}))
    return account
