"""The tenant's own server: MLServer over HTTP and over gRPC."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from libs.common.contracts.providers import FaultCode, ProviderName
from services.inference.providers.provider import Account
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.subject import Place, Row
from tests.servers.rogue import Rogue

HERE = Surroundings(allow_private=True)
TENSORS = dict.fromkeys((400, 413, 415, 422), FaultCode.MALFORMED)
"""Our tensors look alike for every picture: a server that refuses them serves another model."""


@dataclass
class OnMlServer:
    """See Subject."""

    server: MlServer
    grpc: bool = False

    async def working(self) -> Place:
        key = f"key-{secrets.token_urlsafe(24)}"
        self.server.accept(key)
        return self._place(self.server.grpc_url if self.grpc else self.server.url, key)

    async def revoke(self, place: Place) -> None:
        self.server.revoke(self._key(place))

    async def silent(self, rogue: Rogue) -> Place:
        place = await self.working()
        self.server.hang(self._key(place))
        return place

    def at(self, rogue: Rogue) -> Place:
        return self._place(rogue.url, f"key-{secrets.token_urlsafe(24)}")

    def _place(self, url: str, key: str) -> Place:
        return Place(Account({"url": url, "model": MODEL_NAME}, {self._field: key}), HERE)

    def _key(self, place: Place) -> str:
        return place.account.secrets[self._field]

    @property
    def _field(self) -> str:
        """A token over gRPC and an API key over HTTP, so that both are seen."""
        return "bearer" if self.grpc else "api_key"


def _http(request: pytest.FixtureRequest) -> OnMlServer:
    return OnMlServer(request.getfixturevalue("mlserver_server"))


def _grpc(request: pytest.FixtureRequest) -> OnMlServer:
    return OnMlServer(request.getfixturevalue("mlserver_server"), grpc=True)


HTTP = Row("open-inference-http", ProviderName.OPEN_INFERENCE, _http, statuses=TENSORS)
GRPC = Row("open-inference-grpc", ProviderName.OPEN_INFERENCE, _grpc, http=False)
