"""Handler of the queue of new human models: the photo as it was sent goes, a clean one or a reason stays.

The order makes every crash harmless: the clean photo is written before the answer is committed, and what was
sent is removed after that. A command that comes again finds the answer given and removes what is left.
"""

from __future__ import annotations

from typing import Protocol

from libs.common.bus.bus import Delivery
from libs.common.contracts.flow import HUMAN_MODEL_CHECKS
from libs.common.contracts.human_models import CheckHumanModel, HumanModelChecked, Refused
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.errors import NotFound, Permanent
from libs.common.objects import Objects
from libs.common.telemetry import logger
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.human_models.clean import Cleaned
from services.inference.store import sql

_log = logger("inference.human_models")


class Examines(Protocol):
    """Looks at photos; PictureRefused says why one can't be kept."""

    async def here(self, photo: bytes) -> Cleaned:
        """In this process."""

    async def apart(self, photo: bytes) -> Cleaned:
        """In a process of its own."""


class Checking:
    """One command at a time for each place of the queue."""

    def __init__(self, database: Database, objects: Objects, examiner: Examines) -> None:
        self._database = database
        self._objects = objects
        self._examiner = examiner

    async def handle(self, delivery: Delivery) -> None:
        """Look, keep, answer, and remove what was sent."""
        command, tenant = delivery.message, delivery.envelope.tenant_id
        assert isinstance(command, CheckHumanModel)
        if tenant is None:
            raise Permanent("the human model names no tenant")
        if not (delivery.attempt > 1 and await self._was_done(delivery, tenant)):
            event = await self._checked(command, apart=delivery.attempt > 1)
            await self._answer(delivery, tenant, command, event)
        await self._objects.delete(command.upload_key)

    async def _checked(self, command: CheckHumanModel, *, apart: bool) -> HumanModelChecked:
        """With a clean photo in the storage, or the reason why there is none."""
        about = {"model_id": command.model_id, "upload_key": command.upload_key}
        try:
            photo = await self._read(command.upload_key)
            found = await (self._examiner.apart(photo) if apart else self._examiner.here(photo))
        except PictureRefused as refused:
            _log.info("human_model_refused", model=command.model_id, code=refused.code)
            return HumanModelChecked(**about, refusal=Refused(code=refused.code, detail=refused.detail))
        await self._objects.put(command.photo_key, found.data)
        return HumanModelChecked(**about, photo=found.photo)

    async def _read(self, key: str) -> bytes:
        try:
            return await self._objects.read(key)
        except NotFound as error:
            detail = "The photo is no longer in the storage; send it again."
            raise PictureRefused(RefusalCode.PHOTO_LOST, detail) from error

    async def _answer(
        self, delivery: Delivery, tenant: TenantId, command: CheckHumanModel, event: HumanModelChecked
    ) -> None:
        async with self._database.tenant(tenant) as tx:
            if await tx.first_time(HUMAN_MODEL_CHECKS.name, delivery.envelope):
                tx.publish(event, subject=command.model_id)
                return
        if not await self._was_done(delivery, tenant):  # the tenant was erased: nothing may come back
            await self._objects.delete(command.photo_key)

    async def _was_done(self, delivery: Delivery, tenant: TenantId) -> bool:
        async with self._database.tenant(tenant) as tx:
            done = await tx.fetchval(sql.was_taken, HUMAN_MODEL_CHECKS.name, delivery.envelope.id)
        return bool(done)
