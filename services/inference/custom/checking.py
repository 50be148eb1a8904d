"""Handler of the check queue: a version goes into the sandbox, and comes out ready or refused."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path

from libs.common.bus.bus import Delivery, Handler
from libs.common.contracts.custom_models import CheckModelVersion, VersionStatus
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import PlanChanged
from libs.common.db import Database, Row, Transaction
from libs.common.errors import NotFound, Permanent
from libs.common.objects import Objects
from services.inference.custom.sandbox import Findings, examine
from services.inference.custom.store import sql

_LOST = "The file is no longer there; upload it again."
_ALTERED = "The file is not the one that was uploaded."


def checker(database: Database, objects: Objects) -> Handler:
    """A check that is repeated finds the same; the first word on a version stays."""

    async def handle(delivery: Delivery) -> None:
        tenant, asked = delivery.envelope.tenant_id, delivery.message
        assert isinstance(asked, CheckModelVersion)
        if tenant is None:
            raise Permanent("the message names no tenant")
        async with database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.get_version, tenant, asked.sha256)
        if row is not None and row["status"] == VersionStatus.CHECKING:
            await _keep(database, tenant, asked.sha256, await _look(objects, row))

    return handle


async def plan_changed(message: Message, tx: Transaction) -> None:
    """Remember whether a tenant may have models of its own."""
    assert isinstance(message, PlanChanged)
    await tx.execute(sql.put_plan, tx.tenant, message.plan.custom_models, message.revision)


async def _look(objects: Objects, row: Row) -> Findings:
    with tempfile.TemporaryDirectory(prefix="mannequin-model-") as folder:
        path = Path(folder) / "model.onnx"
        try:
            digest = await _fetch(objects, row["key"], path)
        except NotFound:
            return Findings(ok=False, reason=_LOST)
        if digest != row["sha256"]:
            return Findings(ok=False, reason=_ALTERED)
        return await examine(path, row["card"])


async def _fetch(objects: Objects, key: str, path: Path) -> str:
    """Save the object as a file; its SHA-256, hex. NotFound."""
    digest = hashlib.sha256()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for piece in objects.stream(key):
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    return digest.hexdigest()


async def _keep(database: Database, tenant: TenantId, sha256: str, found: Findings) -> None:
    status = VersionStatus.READY if found.ok else VersionStatus.REFUSED
    measured = (found.opset, found.run_ms, found.memory_mib)
    async with database.tenant(tenant) as tx:
        await tx.execute(sql.judge_version, tenant, sha256, status, *measured, found.reason)
