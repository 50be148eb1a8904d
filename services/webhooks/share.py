"""Who gets the free places: nobody's slow receiver may hold up what is for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class EndpointKey(NamedTuple):
    """An endpoint among those of all tenants."""

    tenant_id: str
    endpoint_id: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most tries at once in this process, in all, for one tenant and for one endpoint."""

    total: int = 200
    tenant: int = 24
    endpoint: int = 8


def share(
    waiting: Sequence[EndpointKey], in_flight: Mapping[EndpointKey, int], bounds: Bounds
) -> Mapping[EndpointKey, int]:
    """Places for endpoints that wait, handed out in turn, one by one, to who waits longest first."""
    endpoints, tenants = Counter(in_flight), Counter[str]()
    for key, number in in_flight.items():
        tenants[key.tenant_id] += number
    room = bounds.total - endpoints.total()
    given = Counter[EndpointKey]()
    turn = list(waiting)
    while turn and room > 0:
        turn = [
            key for key in turn if tenants[key.tenant_id] < bounds.tenant and endpoints[key] < bounds.endpoint
        ]
        for key in turn[:room]:
            if tenants[key.tenant_id] < bounds.tenant:
                given[key] += 1
                endpoints[key] += 1
                tenants[key.tenant_id] += 1
        room = bounds.total - endpoints.total()
    return given
