"""The platform itself: its network in this process, which takes no key."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from libs.common.contracts.providers import ProviderName
from services.inference.providers.provider import Account
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.subject import Place, Row
from tests.servers.rogue import Rogue


@dataclass
class InProcess:
    """See Subject. There is nothing to revoke, and nobody else to speak to."""

    async def working(self) -> Place:
        return Place(Account({}, {}), Surroundings())

    async def revoke(self, place: Place) -> None:
        raise NotImplementedError

    async def silent(self, rogue: Rogue) -> Place:
        raise NotImplementedError

    def at(self, rogue: Rogue) -> Place:
        raise NotImplementedError


def _here(request: pytest.FixtureRequest) -> InProcess:
    return InProcess()


PLATFORM = Row("onnx", ProviderName.ONNX, _here, http=False, keyed=False)
