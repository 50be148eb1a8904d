"""AWS: moto's IAM, STS and SageMaker."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

import pytest

from libs.common.contracts.providers import ProviderName
from services.inference.providers.provider import Account
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import OUTPUTS, local_maps, tensors
from tests.contract.providers.mlserver_rows import TENSORS
from tests.contract.providers.subject import Place, Row
from tests.servers.moto import REGION, Moto
from tests.servers.rogue import Rogue

INVOKE = ("sagemaker:InvokeEndpoint",)


def answer() -> str:
    """What a container of the Open Inference Protocol says to the tensors of `call`."""
    maps = local_maps(tensors())
    output = {"name": OUTPUTS[0], "datatype": "FP32", "shape": maps.shape, "data": maps.ravel().tolist()}
    return json.dumps({"outputs": [output]})


@dataclass
class OnMoto:
    """See Subject."""

    server: Moto

    async def working(self) -> Place:
        name = f"user-{secrets.token_hex(4)}"
        key_id, secret = await self.server.user(name, INVOKE)
        await self.server.will_answer(answer())
        return _place(self.server.url, key_id, secret, endpoint=name)

    async def revoke(self, place: Place) -> None:
        user = place.account.settings["endpoint_name"]
        await self.server.forget(user, place.account.secrets["access_key_id"])

    async def silent(self, rogue: Rogue) -> Place:
        rogue.answer = None
        return at(rogue)

    def at(self, rogue: Rogue) -> Place:
        return at(rogue)


def at(rogue: Rogue) -> Place:
    """A made-up account whose AWS is the rogue."""
    return _place(rogue.url, f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), "garments")


def _place(url: str, key_id: str, secret: str, endpoint: str) -> Place:
    account = Account(
        {"region": REGION, "endpoint_name": endpoint, "format": "json"},
        {"access_key_id": key_id, "secret_access_key": secret},
    )
    return Place(account, Surroundings(endpoints={ProviderName.AWS_SAGEMAKER: url}))


def _moto(request: pytest.FixtureRequest) -> OnMoto:
    return OnMoto(request.getfixturevalue("moto_server"))


SAGEMAKER = Row("aws-sagemaker", ProviderName.AWS_SAGEMAKER, _moto, statuses=TENSORS)
