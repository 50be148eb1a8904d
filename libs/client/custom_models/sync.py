"""Models of your own for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from libs.client.custom_models import calls
from libs.client.custom_models.models import CustomModel, CustomModels, Rollout

if TYPE_CHECKING:
    from libs.client.sync import Transport


class CustomModelCalls:
    """`client.custom_models`: ONNX models of your own that render your images."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self, file: str | Path, name: str, card: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> CustomModel:
        """Send a version of the model `name`. card: `input`, `output` and `hint`: what its tensors mean."""
        return self._transport.send(calls.upload(Path(file), name, card, idempotency_key))

    def list(self) -> CustomModels:
        return self._transport.send(calls.list_())

    def get(self, model_id: str) -> CustomModel:
        return self._transport.send(calls.get_one(model_id))

    def roll_out(self, sha256: str, share: float = 1.0) -> Rollout:
        """Give a version a share of your photos; 1 makes it live."""
        return self._transport.send(calls.roll_out(sha256, share))

    def roll_back(self, *, idempotency_key: str | None = None) -> Rollout:
        """End a try, or bring back what was live before."""
        return self._transport.send(calls.roll_back(idempotency_key))

    def delete(self, model_id: str) -> None:
        self._transport.send(calls.delete(model_id))
