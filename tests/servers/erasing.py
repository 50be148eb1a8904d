"""A tenant of a running system that is erased through the API, and the search for what is left."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.local.supervisor import Supervisor
from deploy.operator.scan import Findings, Places, scan
from deploy.vault.keys import VaultAccess
from libs.client import AsyncMannequin
from libs.client.models import Batch
from libs.common.contracts.access import Role
from libs.common.contracts.ids import TenantId
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import Caller, System
from tests.servers.tokens import member

LIMIT_S = 150.0


async def owner_of(system: System, tenant: TenantId) -> httpx.AsyncClient:
    """A client with the token of one of the tenant's owners."""
    badge = member(system.supervisor.addresses, tenant, Role.OWNER)
    headers = await asyncio.to_thread(lambda: badge.headers)
    return httpx.AsyncClient(base_url=system.api_url, headers=headers, timeout=60)


async def rendered(system: System, caller: Caller, folder: Path, count: int = 3) -> Batch:
    """A batch that has ended."""
    archive = folder / f"{caller.id}.zip"
    archive.write_bytes(zipped(numbered(jpegs(count))))
    async with AsyncMannequin(caller.key.get_secret_value(), system.api_url) as api:
        batch = await api.batches.process(archive, options={"size": 200})
        return await api.batches.wait(batch.id, timeout_s=60)


async def completed(system: System, erasure_id: str) -> dict[str, Any]:
    """The erasure once it is through, as anybody may ask who knows its id; the gateway may be away."""
    end = time.monotonic() + LIMIT_S
    async with httpx.AsyncClient(base_url=system.api_url, timeout=10) as anybody:
        while True:
            try:
                answer = await anybody.get(f"/api/v1/erasures/{erasure_id}")
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                if found["completed_at"] is not None:
                    return found
            except httpx.HTTPError:
                found = {}
            assert time.monotonic() < end, f"still under way: {found}"
            await asyncio.sleep(0.2)


async def left_of(supervisor: Supervisor, *words: str) -> Findings:
    """Where one of the words stands, once what was on its way is through."""
    end = time.monotonic() + 30
    while any((found := await scan(places_of(supervisor), words)).values()) and time.monotonic() < end:
        await asyncio.sleep(0.5)
    return found


def places_of(supervisor: Supervisor) -> Places:
    """Where the parts of a system are that runs here."""
    return Places(
        admin_url=SecretStr(supervisor.postgres.url),
        objects_url=SecretStr(supervisor.addresses.objects_url),
        bus_url=supervisor.addresses.bus_url,
        vault=VaultAccess(supervisor.vault.url, supervisor.vault.ca, supervisor.vault.approles),
    )
