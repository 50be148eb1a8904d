"""Human models for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

import time
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
    from libs.client.sync import Transport


class HumanModels:
    """`client.human_models`: people whom garments are shown on, with `render=on_model`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add(
        self,
        photo: str | Path,
        consent: ConsentTerms,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> HumanModel:
        """Send a photo of a person, and what that person agreed to. It is `checking` at first."""
        return self._transport.send(calls.add(Path(photo), consent, name, idempotency_key))

    def wait(self, model_id: str, *, timeout_s: float = 60.0) -> HumanModel:
        """The model once it is `ready` or `refused`. WaitTimeout."""
        way = Looking(model_id, timeout_s)
        while not way.done(model := self.get(model_id)):
            time.sleep(way.pause())
        return model

    def list(self, cursor: str | None = None, limit: int = 50) -> Page[HumanModel]:
        """Newest first."""
        return self._transport.send(calls.list_(cursor, limit))

    def get(self, model_id: str) -> HumanModel:
        return self._transport.send(calls.get_one(model_id))

    def change(
        self, model_id: str, *, name: str | None = None, consent_expires_at: datetime | None = UNCHANGED
    ) -> HumanModel:
        """Another name, or another end of the consent; None: without an end."""
        return self._transport.send(calls.change(model_id, name, consent_expires_at))

    def download(self, model_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the photo as it is kept."""
        return self._transport.download(calls.photo(model_id), Path(target), progress)

    def delete(self, model_id: str) -> None:
        """At once and for good. Results that show the person stay."""
        self._transport.send(calls.delete(model_id))
