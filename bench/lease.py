"""Leases: how many a second the vault gives out, and how long a worker waits for one.

On OpenBao, a durable PostgreSQL and NATS, with the batch service's answer given at once. `in_process` is the
service without the bus in front of it (with the bus behind it, to ask for routes); `bus` is what a worker
sees of a keyvault process. `seal_us` is the one part that no round makes cheaper: HPKE to the worker's key.
`cpu_us` are of this process, an instance of the vault service.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from bench.photos import FOLDER
from deploy.local.environment import process_environment
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts.credentials import Lease, LeaseCredential, LeasePurpose
from libs.common.contracts.ids import BatchId, CredentialId, LeaseId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database
from libs.common.sealing import new_lease_key, seal_for_worker
from libs.common.settings import load
from services.keyvault.encrypt import encrypt
from services.keyvault.leases.service import Leasing
from services.keyvault.settings import KeyvaultSettings
from services.keyvault.transit import TransitVault
from services.keyvault.vault import Context, Vault

TENANTS = 20
AT_ONCE = 512
LEASES = 10_000
BUS_AT_ONCE = 64
BUS_LEASES = 4_000
ALONE = 300
_LIMIT_S = 60.0

Ask = tuple[TenantId, LeaseCredential]
Call = Callable[[Ask], Awaitable[object]]


@dataclass
class Desk:
    """A keyvault in this process, the bus of a worker, and what workers may ask for, by tenant."""

    leasing: Leasing
    worker: Bus
    asks: list[list[Ask]]

    async def lease(self, ask: Ask) -> object:
        return await self.leasing.lease(ask[1], ask[0])

    async def request(self, ask: Ask) -> object:
        return await self.worker.request(ask[1], tenant=ask[0], timeout=_LIMIT_S)


async def run() -> dict[str, float]:
    figures = {"seal_us": seal_us()}
    async with _desk() as desk:
        for name, count in (("one_tenant", 1), (f"{TENANTS}_tenants", TENANTS)):
            asks = _in_turn(desk.asks[:count])
            await _measured(desk.lease, asks, LEASES // 10, AT_ONCE)
            before = time.process_time()
            waits, per_s = await _measured(desk.lease, asks, LEASES, AT_ONCE)
            cpu_us = (time.process_time() - before) * 1e6 / LEASES
            figures |= {f"in_process_per_s_{name}": per_s, f"in_process_cpu_us_{name}": cpu_us}
            figures |= _quantiles(f"in_process_{name}", waits)
        asks = _in_turn(desk.asks)
        waits, _ = await _measured(desk.request, asks, ALONE, 1)
        figures |= _quantiles("bus_alone", waits)
        waits, per_s = await _measured(desk.request, asks, BUS_LEASES, BUS_AT_ONCE)
        figures |= {"bus_per_s": per_s} | _quantiles(f"bus_{BUS_AT_ONCE}_at_once", waits)
    return figures


def seal_us() -> float:
    """Microseconds to seal one lease, the machine's own measure for all the rest."""
    tenant, query = TenantId.new(), _query(CredentialId.new())
    lease = Lease(
        id=LeaseId.new(),
        provider=ProviderName.OPEN_INFERENCE,
        expires_at=datetime.now(UTC),
        sealed="",
        **query.model_dump(include={"credential_id", "version", "worker", "purpose", "batch_id"}),
    )
    began = time.perf_counter()
    for _ in range(1000):
        seal_for_worker({"bearer": "x" * 40}, query.public_key, tenant, lease)
    return (time.perf_counter() - began) * 1000


async def _measured(call: Call, asks: Iterator[Ask], count: int, at_once: int) -> tuple[list[float], float]:
    """Seconds of each of `count` calls, `at_once` of them under way; and calls a second."""
    waits: list[float] = []
    left = itertools.islice(asks, count)

    async def one_after_the_other() -> None:
        for ask in left:
            began = time.perf_counter()
            await call(ask)
            waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return waits, count / (time.perf_counter() - began)


def _quantiles(name: str, waits: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waits, n=100)
    return {f"{name}_ms_p50": cuts[49] * 1000, f"{name}_ms_p99": cuts[98] * 1000}


def _in_turn(asks: list[list[Ask]]) -> Iterator[Ask]:
    return itertools.cycle(ask for of_all in zip(*asks, strict=True) for ask in of_all)


@asynccontextmanager
async def _desk() -> AsyncIterator[Desk]:
    root = FOLDER / "state"
    shutil.rmtree(root, ignore_errors=True)
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(Supervisor(State(root), services=("keyvault",)))
        settings = _settings(system)

        async def started(service: str) -> Bus:
            bus = connect(settings.bus_url, service)
            stack.push_async_callback(bus.close)
            await bus.start()
            return bus

        database = Database.of(settings, "keyvault")
        stack.push_async_callback(database.close)
        await database.start()
        vault = TransitVault(settings)
        stack.push_async_callback(vault.close)
        await vault.start()
        await stack.enter_async_context(_batch_service(settings.bus_url))
        asks = [await _asks_of(TenantId.new(), database, vault) for _ in range(TENANTS)]
        leasing = Leasing(database, vault, await started("keyvault"))
        yield Desk(leasing, await started("inference"), asks)


def _settings(system: Supervisor) -> KeyvaultSettings:
    """The same as those of the keyvault process."""
    before = dict(os.environ)
    os.environ.update(process_environment("keyvault", system.addresses, SecretStr("")))
    try:
        return load(KeyvaultSettings)
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def _batch_service(bus_url: SecretStr) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.open_routes"),
        env=os.environ | {"MANNEQUIN_BUS_URL": bus_url.get_secret_value()},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _asks_of(tenant: TenantId, database: Database, vault: Vault) -> list[Ask]:
    """Of 50 workers at 50 batches, on one stored credential."""
    key, provider = CredentialId.new(), ProviderName.OPEN_INFERENCE
    kept = await encrypt(vault, Context(tenant, provider.value, key), {"bearer": "x" * 40})
    async with database.tenant(tenant) as tx:
        await tx.execute(
            "insert into credentials (tenant_id, id, provider, label, health) "
            "values ($1, $2, $3, 'ours', 'healthy')",
            tenant,
            key,
            provider.value,
        )
        await tx.execute(
            "insert into secrets (tenant_id, credential_id, version, status, ciphertext, key_version, "
            "last_four, fingerprint) values ($1, $2, 1, 'current', $3, $4, $5, $6)",
            *(tenant, key, kept.ciphertext, kept.key_version, kept.last_four, kept.fingerprint),
        )
    return [(tenant, _query(key)) for _ in range(50)]


def _query(credential_id: CredentialId) -> LeaseCredential:
    return LeaseCredential(
        credential_id=credential_id,
        version=1,
        purpose=LeasePurpose.RENDER,
        batch_id=BatchId.new(),
        worker="bench",
        public_key=new_lease_key()[1],
    )
