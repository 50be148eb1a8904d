"""A tenant and an API key of a local system, as an operator would make them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import SecretStr

from deploy.local.environment import Addresses
from deploy.local.state import State, write_private
from libs.client.errors import ApiError
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import CreateTenant, IssueApiKey, Plan, SetPlan

Made = TypeVar("Made")
ENTERPRISE = Plan(
    name="enterprise",
    byok=True,
    fallback=True,
    human_models=True,
    custom_models=True,
    white_label=True,
    sso=True,
)

_KNOWN_WITHIN_S = 10.0
_NOT_PLANNED = frozenset({"byok_not_in_plan", "fallback_not_in_plan", "not_in_plan"})


@dataclass(frozen=True)
class Account:
    """Who calls the API."""

    tenant: TenantId
    key_id: ApiKeyId
    key: SecretStr

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key.get_secret_value()}"}


async def make_account(addresses: Addresses, name: str, slug: str | None = None) -> Account:
    """A new tenant with a key that the gateway knows."""
    bus = connect(addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        tenant = await bus.request(CreateTenant(name=name, slug=slug))
        issued = await bus.request(IssueApiKey(label=name), tenant=tenant.id)
    finally:
        await bus.close()
    account = Account(tenant.id, issued.key.id, issued.secret)
    async with asyncio.timeout(_KNOWN_WITHIN_S):
        while not await is_known(addresses, account):
            await asyncio.sleep(0.02)
    return account


async def make_enterprise_account(addresses: Addresses, name: str, plan: Plan = ENTERPRISE) -> Account:
    """A new tenant that bought everything; see `once_planned` for its first calls."""
    account = await make_account(addresses, name)
    await set_plan(addresses, account.tenant, plan)
    return account


async def set_plan(addresses: Addresses, tenant: TenantId, plan: Plan) -> None:
    """What the tenant bought from now on; the services hear of it a moment later."""
    bus = connect(addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        await bus.request(SetPlan(plan=plan), tenant=tenant)
    finally:
        await bus.close()


async def once_planned(work: Callable[[], Awaitable[Made]]) -> Made:
    """What `work` makes; tried again while the services have not heard yet of the tenant's plan."""
    async with asyncio.timeout(_KNOWN_WITHIN_S):
        while True:
            try:
                return await work()
            except ApiError as error:
                if error.code not in _NOT_PLANNED:
                    raise
            await asyncio.sleep(0.05)


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
