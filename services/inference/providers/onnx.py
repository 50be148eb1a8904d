"""The platform's own network as a provider, so that one suite holds ours and everyone else's to the same.

Renders of the platform's own work do not pass here: they go straight to `models/`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.common.contracts.providers import FaultCode, ProviderName
from services.inference.errors import ModelRefused
from services.inference.models.raw import RawModel
from services.inference.models.registry import DEFAULT_MODEL, Registry
from services.inference.providers.faults import failed
from services.inference.providers.provider import Account, Connection, Drawing, Tensors
from services.inference.providers.surroundings import Surroundings


class Onnx:
    """See Provider. It needs no credential, and reads nothing of an account."""

    name = ProviderName.ONNX

    def __init__(self, around: Surroundings, registry: Registry | None = None) -> None:
        self._registry = registry or Registry()

    async def connect(self, account: Account) -> Connection:
        """Opens the network as its card recommends for the CPU."""
        return OnnxConnection(await asyncio.to_thread(self._open))

    def _open(self) -> RawModel:
        try:
            return RawModel(self._registry.load(DEFAULT_MODEL))
        except ModelRefused:
            refused = failed(FaultCode.UNAVAILABLE, sentence="the platform's network can't be opened")
        raise refused


class OnnxConnection(Connection):
    """See Connection."""

    def __init__(self, model: RawModel) -> None:
        self._model: RawModel | None = model

    async def probe(self) -> None:
        self._opened()

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        model = self._opened()
        try:
            return await asyncio.to_thread(model.run, inputs, outputs)
        except ValueError:
            refused = failed(FaultCode.MALFORMED, sentence="the tensors are not those of the network")
        raise refused

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def close(self) -> None:
        self._model = None

    def _opened(self) -> RawModel:
        if self._model is None:
            raise failed(FaultCode.UNAVAILABLE, sentence="the connection is closed")
        return self._model
