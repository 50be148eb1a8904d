"""How much goes to the platform's workers and how much to tenants' providers."""

from __future__ import annotations

from libs.common.contracts.inference import WorkerRole, WorkerSeen
from libs.common.contracts.providers import Payer, ProviderName, Route
from libs.common.providers.cards import card
from services.batch.flights import Flights, Rooms
from services.batch.window import Window
from tests.unit.routing_samples import IDS, key

PLATFORM = Route()
ON_KEY = Route(provider=ProviderName.OPEN_INFERENCE, payer=Payer.TENANT, credential_id=IDS[0])
MOST = 2 * card(ProviderName.OPEN_INFERENCE).limits.concurrency


def flights() -> Flights:
    return Flights(Window(queued_s=1, chunk=16, image_s=1), Window(queued_s=1, chunk=8, image_s=1))


def test_a_worker_widens_the_flight_of_its_role_alone() -> None:
    """And an image that took long narrows only that of who computed it."""
    both = flights()
    both.worker_seen(WorkerSeen(worker="r", capacity=64, role=WorkerRole.REMOTE), now=0)
    assert (both.local.in_flight, both.remote.in_flight) == (4, 128)
    for _ in range(100):
        both.image_took(0.01, WorkerRole.LOCAL)
    assert (both.local.in_flight, both.remote.in_flight) == (199, 128)


def test_what_is_in_flight_on_one_key_leaves_room_on_another() -> None:
    """A key's flight is bounded by the calls that its provider takes at a time."""
    both = flights()
    both.worker_seen(WorkerSeen(worker="r", capacity=64, role=WorkerRole.REMOTE), now=0)
    rooms = Rooms.after(both, {None: 3, IDS[0]: MOST - 2})
    assert (rooms.on(PLATFORM), rooms.on(ON_KEY)) == (1, 2)
    rooms.take(ON_KEY, 2)
    assert rooms.on(ON_KEY) == 0
    assert rooms.on(ON_KEY.model_copy(update={"credential_id": IDS[1]})) == MOST
    assert rooms.on_keys([key(0), key(1)]) == MOST


def test_a_full_flight_has_no_room_however_free_its_keys_are() -> None:
    """Nor has one that is overfull since its workers went away."""
    rooms = Rooms.after(flights(), {IDS[1]: 9, None: 9})
    assert (rooms.on(ON_KEY), rooms.on(PLATFORM)) == (0, 0)
