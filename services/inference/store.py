"""What is remembered of images whose worker died, until their chunk is through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libs.common.contracts.ids import ChunkId, ImageId, TenantId
from libs.common.db import Database, Queries

sql = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """deaths: workers that ended with the image in hand. outcome: how it ended, if it has."""

    deaths: int
    outcome: dict[str, Any] | None


class Attempts:
    """The attempts at one chunk's images; each step is committed at once, as the next one may be fatal."""

    def __init__(self, database: Database, tenant: TenantId, chunk_id: ChunkId) -> None:
        self._database = database
        self._tenant = tenant
        self._chunk_id = chunk_id

    async def begin(self, images: Sequence[ImageId]) -> dict[ImageId, Attempt]:
        """What is known of each image; one that is new here counts one death, the worker's before."""
        async with self._database.tenant(self._tenant) as tx:
            await tx.execute(sql.begin_attempts, self._tenant, self._chunk_id, list(images))
            rows = await tx.fetch(sql.list_attempts, self._tenant, self._chunk_id)
        return {ImageId(row["image_id"]): Attempt(row["deaths"], row["outcome"]) for row in rows}

    async def count_death(self, image_id: ImageId) -> None:
        async with self._database.tenant(self._tenant) as tx:
            await tx.execute(sql.count_death, self._tenant, self._chunk_id, image_id)

    async def save(self, image_id: ImageId, outcome: dict[str, Any]) -> None:
        async with self._database.tenant(self._tenant) as tx:
            await tx.execute(sql.save_outcome, self._tenant, self._chunk_id, image_id, outcome)
