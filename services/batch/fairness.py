"""Whose images go next: deficit round robin over tenants, newcomers first.

Deficit round robin is Shreedhar and Varghese, "Efficient fair queuing using deficit round robin" (1995);
the list of new tenants that goes ahead once is FQ-CoDel's (RFC 8290, section 4.1.1). A tenant that comes with
a few images is served at once, and one that trickles them can't stay new: it passes through the old list.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from libs.common.contracts.ids import TenantId


class Demand(NamedTuple):
    """What a tenant could have released now."""

    ready: int
    weight: int = 1


class FairShare:
    """Remembers each waiting tenant's deficit. `quantum`: images a turn for a tenant of weight 1."""

    def __init__(self, quantum: int = 8) -> None:
        self._quantum = quantum
        self._new: OrderedDict[TenantId, int] = OrderedDict()
        self._old: OrderedDict[TenantId, int] = OrderedDict()

    def grant(self, demands: Mapping[TenantId, Demand], room: int) -> list[tuple[TenantId, int]]:
        """Share `room` images out; (tenant, images) in the order in which they are to go."""
        left = {tenant: demand.ready for tenant, demand in demands.items() if demand.ready > 0}
        self._welcome(demands, left)
        grants: list[tuple[TenantId, int]] = []
        while room > 0 and left:
            tenant, queue = self._next()
            taken = min(queue[tenant], left.get(tenant, 0), room)
            if taken:
                grants.append((tenant, taken))
                room -= taken
                queue[tenant] -= taken
                left[tenant] -= taken
            if not left.get(tenant):
                left.pop(tenant, None)
                self._emptied(tenant, queue)
            elif queue[tenant] <= 0:
                self._end_turn(tenant, queue, demands[tenant].weight)
        return grants

    def _welcome(self, demands: Mapping[TenantId, Demand], left: Mapping[TenantId, int]) -> None:
        for tenant in left:
            if tenant not in self._new and tenant not in self._old:
                self._new[tenant] = self._quantum * demands[tenant].weight

    def _next(self) -> tuple[TenantId, OrderedDict[TenantId, int]]:
        queue = self._new or self._old
        return next(iter(queue)), queue

    def _end_turn(self, tenant: TenantId, queue: OrderedDict[TenantId, int], weight: int) -> None:
        deficit = queue.pop(tenant)
        self._old[tenant] = deficit + self._quantum * weight

    def _emptied(self, tenant: TenantId, queue: OrderedDict[TenantId, int]) -> None:
        """A new tenant that is through goes behind the old ones first; an old one is forgotten."""
        deficit = queue.pop(tenant)
        if queue is self._new and self._old:
            self._old[tenant] = deficit
