"""What the vault asks before it leases a key, and when it reconciles its leases with what was rendered."""

from __future__ import annotations

from libs.common.bus.bus import Delivery
from libs.common.contracts.ids import TenantId
from libs.common.contracts.routing import (
    CheckedRoutes,
    CheckRoutes,
    ListRenderedOn,
    RenderedOn,
    RenderedOnList,
)
from libs.common.db import Database
from services.batch.errors import InvalidPeriod
from services.batch.store import routes

_MOST_ROWS = 4_000
"""So many fit into a message of 1 MiB."""


class Claims:
    """The use cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self, delivery: Delivery) -> CheckedRoutes:
        """Which claims are so: images of the batch render on the credential. Of any tenants at once."""
        query = delivery.message
        assert isinstance(query, CheckRoutes)
        claims = query.claims
        async with self._database.platform("check routes") as tx:
            rows = await tx.fetch(
                routes.routes_open,
                [claim.tenant_id for claim in claims],
                [claim.batch_id for claim in claims],
                [claim.credential_id for claim in claims],
            )
        places = {row["place"] for row in rows}
        return CheckedRoutes(open=tuple(place + 1 in places for place in range(len(claims))))

    async def rendered_on(self, query: ListRenderedOn, tenant: TenantId) -> RenderedOnList:
        """InvalidPeriod if there are more batches than a message carries."""
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(routes.rendered_on, tenant, query.since, _MOST_ROWS + 1)
        if len(rows) > _MOST_ROWS:
            raise InvalidPeriod(
                f"there are more than {_MOST_ROWS:,} batches since then; ask for a later moment"
            )
        return RenderedOnList(items=tuple(RenderedOn(**row) for row in rows))
