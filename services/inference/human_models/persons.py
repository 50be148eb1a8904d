"""The photos of people that images are rendered on right now: read once, kept for a minute, forgotten when
the tenant deletes them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from libs.common.bus.bus import Delivery
from libs.common.contracts.human_models import HumanModelDeleted
from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.inference import PersonSource
from libs.common.errors import NotFound
from libs.common.objects import Objects
from services.inference.errors import PictureRefused

DELETED = "human_model_deleted"
KEPT_S = 60.0
"""How long a photo outlives its deletion here at most, should the word of that be lost."""
MOST = 4


@dataclass(eq=False)
class _Held:
    """A photo that is being read, or was."""

    model_id: HumanModelId
    reading: asyncio.Future[bytes] = field(repr=False)

    @property
    def failed(self) -> bool:
        return self.reading.done() and (self.reading.cancelled() or self.reading.exception() is not None)


class Persons:
    """Reads people's photos; several that want the same one at a time read it once.

    also: told of the SHA-256 (hex) of each photo that is to be forgotten.
    """

    def __init__(self, objects: Objects, *, kept_s: float = KEPT_S) -> None:
        self.also: list[Callable[[str], None]] = []
        self._objects = objects
        self._kept_s = kept_s
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()

    async def read(self, person: PersonSource) -> bytes:
        """The photo's bytes. PictureRefused if it was deleted; Unavailable if the storage is away."""
        place = (person.key, person.sha256)
        held = self._held.get(place)
        if held is None or held.failed:
            held = self._held[place] = _Held(person.model_id, asyncio.ensure_future(self._fetch(person)))
            asyncio.get_running_loop().call_later(self._kept_s, self._drop, held)
        self._held.move_to_end(place)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return await asyncio.shield(held.reading)

    async def forget(self, delivery: Delivery) -> None:
        """Listener of `HumanModelDeleted`."""
        deleted = delivery.message
        assert isinstance(deleted, HumanModelDeleted)
        self._keep(lambda held: held.model_id != deleted.model_id)
        for forget in self.also:
            forget(deleted.sha256 or "")

    def _drop(self, old: _Held) -> None:
        self._keep(lambda held: held is not old)

    def _keep(self, wanted: Callable[[_Held], bool]) -> None:
        self._held = OrderedDict((place, held) for place, held in self._held.items() if wanted(held))

    async def _fetch(self, person: PersonSource) -> bytes:
        try:
            return await self._objects.read(person.key)
        except NotFound as error:
            detail = "The human model was deleted before the image was rendered. Send it again with another."
            raise PictureRefused(DELETED, detail) from error
