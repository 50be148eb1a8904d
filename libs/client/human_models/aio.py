"""Human models for asyncio. `sync.py` is the same for ordinary code."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from libs.client.exchange import Progress
from libs.client.human_models import calls
from libs.client.human_models.calls import UNCHANGED
from libs.client.human_models.models import ConsentTerms, HumanModel
from libs.client.human_models.waiting import Looking
from libs.client.models import Page

if TYPE_CHECKING:
    from libs.client.aio import AsyncTransport


class AsyncHumanModels:
    """`client.human_models`: people whom garments are shown on, with `render=on_model`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def add(
        self,
        photo: str | Path,
        consent: ConsentTerms,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> HumanModel:
        """Send a photo of a person, and what that person agreed to. It is `checking` at first."""
        return await self._transport.send(calls.add(Path(photo), consent, name, idempotency_key))

    async def wait(self, model_id: str, *, timeout_s: float = 60.0) -> HumanModel:
        """The model once it is `ready` or `refused`. WaitTimeout."""
        way = Looking(model_id, timeout_s)
        while not way.done(model := await self.get(model_id)):
            await asyncio.sleep(way.pause())
        return model

    async def list(self, cursor: str | None = None, limit: int = 50) -> Page[HumanModel]:
        """Newest first."""
        return await self._transport.send(calls.list_(cursor, limit))

    async def get(self, model_id: str) -> HumanModel:
        return await self._transport.send(calls.get_one(model_id))

    async def change(
        self, model_id: str, *, name: str | None = None, consent_expires_at: datetime | None = UNCHANGED
    ) -> HumanModel:
        """Another name, or another end of the consent; None: without an end."""
        return await self._transport.send(calls.change(model_id, name, consent_expires_at))

    async def download(self, model_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the photo as it is kept."""
        return await self._transport.download(calls.photo(model_id), Path(target), progress)

    async def delete(self, model_id: str) -> None:
        """At once and for good. Results that show the person stay."""
        await self._transport.send(calls.delete(model_id))
