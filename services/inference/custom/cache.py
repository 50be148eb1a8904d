"""Files of tenants' models on a worker's disk, as model folders that the registry reads.

A file's place is named by its tenant and a digest of file and card, and is checked by the registry whenever
it is opened: so a place that is there is right for ever, whoever fetched it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row
from libs.common.errors import NotFound
from libs.common.objects import Objects
from libs.common.telemetry import logger
from services.inference.custom.store import sql
from services.inference.models.rollout import Rollout

LOOK_S = 2.0
UNUSED_S = 86_400.0
_log = logger("inference.custom")


@dataclass(frozen=True, slots=True)
class Served:
    """What serves a tenant at a moment (monotonic seconds)."""

    rollout: Rollout | None
    at: float


class CustomModelCache:
    """Which rollout a tenant's images go by, with its files in `folder`; None for the platform's own.

    own: the reference of the platform's model, which serves what a tenant's try leaves.
    """

    def __init__(self, database: Database, objects: Objects, folder: Path, own: str) -> None:
        self._database = database
        self._objects = objects
        self._folder = folder
        self._own = own
        self._served: dict[TenantId, Served] = {}
        self._fetching = asyncio.Lock()

    async def rollout(self, tenant: TenantId) -> Rollout | None:
        """Read at most every two seconds a tenant. A file that is lost leaves the platform's own to serve."""
        known = self._served.get(tenant)
        if known is None or time.monotonic() - known.at > LOOK_S:
            known = Served(await self._look(tenant), time.monotonic())
            self._served[tenant] = known
        return known.rollout

    def forget(self, tenant: TenantId) -> None:
        """It was erased: its files go from this machine at once."""
        self._served.pop(tenant, None)
        shutil.rmtree(self._folder / tenant, ignore_errors=True)

    async def sweep(self) -> None:
        """Remove what has not served for a day, every hour; of deleted and erased tenants it is the last."""
        while True:
            await asyncio.to_thread(remove_unused, self._folder, UNUSED_S)
            await asyncio.sleep(3600)

    async def _look(self, tenant: TenantId) -> Rollout | None:
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.serving, tenant)
        if not rows:
            return None
        live, canary, share = self._own, None, 0.0
        try:
            for row in rows:
                reference = await self._fetched(tenant, row)
                if row["canary"]:
                    canary, share = reference, row["canary_share"]
                else:
                    live = reference
        except NotFound as error:
            _log.error("custom_model_lost", tenant=tenant, reason=error.detail)
            return None
        return Rollout(live, canary, share)

    async def _fetched(self, tenant: TenantId, row: Row) -> str:
        """The registry's reference of a version, fetched if this worker does not have it. NotFound."""
        reference = f"{tenant}/{place_of(row['sha256'], row['card'])}"
        home = self._folder / reference
        async with self._fetching:
            if not home.exists():
                content = await self._objects.read(row["key"])
                await asyncio.to_thread(_write, home, content, dict(row["card"]), row["sha256"])
            home.touch()
        return reference


def place_of(sha256: str, card: dict[str, Any]) -> str:
    """Another card for the same file is another place."""
    return hashlib.sha256(f"{sha256}{json.dumps(card, sort_keys=True)}".encode()).hexdigest()


def remove_unused(folder: Path, older_s: float) -> None:
    """Homes that were not touched for so long, and tenants' folders that are empty then."""
    for tenant in folder.iterdir() if folder.exists() else ():
        for home in tenant.iterdir():
            if time.time() - home.stat().st_mtime > older_s:
                shutil.rmtree(home, ignore_errors=True)
        with suppress(OSError):  # not empty
            tenant.rmdir()


def _write(home: Path, content: bytes, card: dict[str, Any], sha256: str) -> None:
    """All of it at once: a folder that is there is whole."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotFound("the stored model is not the file that was checked")
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=home.parent))
    (draft / "model.onnx").write_bytes(content)
    (draft / "model.yaml").write_text(yaml.safe_dump(card))
    try:
        draft.rename(home)
    except OSError:  # another worker of this machine was quicker
        shutil.rmtree(draft, ignore_errors=True)
