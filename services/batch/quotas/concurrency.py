"""At most so many of a tenant's images under way at once: the rest wait, which is no error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.common.contracts.ids import TenantId


@dataclass
class Concurrency:
    """What each tenant with such a limit may yet have in flight. A tenant without one may have any number."""

    left: dict[TenantId, int] = field(default_factory=dict)

    @classmethod
    def after(cls, most: Mapping[TenantId, int], in_flight: Mapping[TenantId, int]) -> Concurrency:
        """With these limits, and so many images in flight. A limit that was lowered stops what is to come."""
        return cls({tenant: max(0, limit - in_flight.get(tenant, 0)) for tenant, limit in most.items()})

    def room(self, tenant: TenantId, wanted: int) -> int:
        """How many of the wanted images may go now."""
        return min(wanted, self.left.get(tenant, wanted))

    def take(self, tenant: TenantId, images: int) -> None:
        """So many more are in flight."""
        if tenant in self.left:
            self.left[tenant] = max(0, self.left[tenant] - images)

    def full(self) -> list[TenantId]:
        """Tenants that have as many in flight as they may."""
        return [tenant for tenant, left in self.left.items() if not left]
