"""Photoroom, on a server made from its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from libs.common.contracts.providers import Ability, ProviderName
from services.inference.providers.provider import Account
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.subject import Place, Row
from tests.servers.photoroom_contract import PhotoroomContract
from tests.servers.rogue import Rogue


@dataclass
class OnPhotoroom:
    """See Subject."""

    server: PhotoroomContract

    async def working(self) -> Place:
        return self.place(self.server.key())

    async def revoke(self, place: Place) -> None:
        self.server.forget(place.account.secrets["api_key"])

    async def silent(self, rogue: Rogue) -> Place:
        rogue.answer = None
        return self.at(rogue)

    def at(self, rogue: Rogue) -> Place:
        return self.place(self.server.key(), rogue.url)

    def place(self, key: str, url: str | None = None) -> Place:
        """An account with this key, at this server or at another."""
        endpoints = {ProviderName.PHOTOROOM: url or self.server.url}
        return Place(Account({}, {"api_key": key}), Surroundings(endpoints=endpoints))


def _photoroom(request: pytest.FixtureRequest) -> OnPhotoroom:
    return OnPhotoroom(request.getfixturevalue("photoroom_server"))


GHOST = Row("photoroom", ProviderName.PHOTOROOM, _photoroom, Ability.GHOST)
