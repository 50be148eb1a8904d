"""Google: a tenant's Vertex endpoint and a Gemini image model, on a server made from public documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from libs.common.contracts.providers import Ability, ProviderName
from services.inference.providers.provider import Account
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import local_maps
from tests.contract.providers.mlserver_rows import TENSORS
from tests.contract.providers.subject import Place, Row
from tests.servers.google_vertex_contract import ENDPOINT, LOCATION, PROJECT, GoogleContract
from tests.servers.rogue import Rogue

ON_ENDPOINT = {"project": PROJECT, "location": LOCATION, "model": "endpoint", "endpoint": ENDPOINT}
DRAWING = {"model": "gemini-3.1-flash-image"}


@dataclass
class OnGoogle:
    """See Subject."""

    server: GoogleContract
    settings: Mapping[str, str]

    async def working(self) -> Place:
        self.server.infer = run_here
        return self.place(self.server.service_account())

    async def revoke(self, place: Place) -> None:
        self.server.forget(place.account.secrets["service_account"])

    async def silent(self, rogue: Rogue) -> Place:
        rogue.answer = None
        return self.at(rogue)

    def at(self, rogue: Rogue) -> Place:
        return self.place(self.server.service_account(), rogue.url)

    def place(self, key_file: str, url: str | None = None, **settings: str) -> Place:
        """An account with this key file, at this server or at another."""
        account = Account({**self.settings, **settings}, {"service_account": key_file})
        endpoints = {ProviderName.GOOGLE_VERTEX: url or self.server.url}
        return Place(account, Surroundings(endpoints=endpoints))


def run_here(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a container of the Open Inference Protocol answers, by the model run in this process."""
    kinds = {"UINT8": np.uint8, "INT64": np.int64}
    inputs = {
        tensor["name"]: np.array(tensor["data"], kinds[tensor["datatype"]]).reshape(tensor["shape"])
        for tensor in asked["inputs"]
    }
    maps = local_maps(inputs)
    name = asked["outputs"][0]["name"]
    return {
        "outputs": [{"name": name, "datatype": "FP32", "shape": maps.shape, "data": maps.ravel().tolist()}]
    }


def another_account(key_file: str) -> str:
    """The key file of somebody whom Google does not know."""
    return json.dumps(json.loads(key_file) | {"client_email": f"nobody@{PROJECT}.iam.gserviceaccount.com"})


def _endpoint(request: pytest.FixtureRequest) -> OnGoogle:
    return OnGoogle(request.getfixturevalue("google_server"), ON_ENDPOINT)


def _gemini(request: pytest.FixtureRequest) -> OnGoogle:
    return OnGoogle(request.getfixturevalue("google_server"), DRAWING)


VERTEX = Row(
    "google-vertex", ProviderName.GOOGLE_VERTEX, _endpoint, statuses=TENSORS, another=another_account
)
GEMINI = Row(
    "gemini", ProviderName.GOOGLE_VERTEX, _gemini, Ability.GHOST, statuses=TENSORS, another=another_account
)
