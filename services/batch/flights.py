"""Two flights: what the platform's workers compute, and what tenants' providers do. Each has its own size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libs.common.contracts.ids import CredentialId
from libs.common.contracts.inference import WorkerRole, WorkerSeen
from libs.common.contracts.providers import ProviderName, Route
from libs.common.providers.cards import card
from services.batch.routing import Key
from services.batch.window import Window

_AHEAD = 2
"""Images in flight for every call that a provider takes at a time: one more waits at its door."""


@dataclass
class Flights:
    """The windows of both."""

    local: Window
    remote: Window

    def of(self, role: WorkerRole) -> Window:
        return self.remote if role is WorkerRole.REMOTE else self.local

    def worker_seen(self, seen: WorkerSeen, now: float) -> None:
        """Learn of a worker's places; `now` in s of any clock."""
        self.of(seen.role).worker_seen(seen.worker, seen.capacity, now)

    def image_took(self, seconds: float, role: WorkerRole) -> None:
        self.of(role).image_took(seconds)


def role_of(route: Route) -> WorkerRole:
    """Whose workers a route is for."""
    return WorkerRole.LOCAL if route.credential_id is None else WorkerRole.REMOTE


@dataclass
class Rooms:
    """What one dispatch may still release on each flight and each credential."""

    left: dict[WorkerRole, int]
    taken: dict[CredentialId, int] = field(default_factory=dict)

    @classmethod
    def after(cls, flights: Flights, in_flight: Mapping[str | None, int]) -> Rooms:
        """With so many images in flight on each credential, and (None) on the platform."""
        taken = {CredentialId(key): images for key, images in in_flight.items() if key is not None}
        left = {
            WorkerRole.LOCAL: flights.local.in_flight - in_flight.get(None, 0),
            WorkerRole.REMOTE: flights.remote.in_flight - sum(taken.values()),
        }
        return cls(left, taken)

    def on_keys(self, keys: Iterable[Key]) -> int:
        """Images that these keys' providers take yet."""
        return sum(self._on(key.id, key.provider) for key in keys)

    def on(self, route: Route) -> int:
        """Images that may go on the route."""
        room = max(0, self.left[role_of(route)])
        if route.credential_id is None:
            return room
        return min(room, self._on(route.credential_id, route.provider))

    def take(self, route: Route, images: int) -> None:
        self.left[role_of(route)] -= images
        if route.credential_id is not None:
            self.taken[route.credential_id] = self.taken.get(route.credential_id, 0) + images

    def _on(self, credential_id: CredentialId, provider: ProviderName) -> int:
        return max(0, _AHEAD * card(provider).limits.concurrency - self.taken.get(credential_id, 0))
