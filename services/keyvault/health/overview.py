"""How the keys of all tenants stand, for the platform's own people."""

from __future__ import annotations

from libs.common.bus.bus import Delivery
from libs.common.contracts.key_health import (
    CredentialHealthPage,
    CredentialStanding,
    ListCredentialHealth,
)
from libs.common.db import Database
from services.keyvault.health.standings import sql


class Overview:
    """Answers over tenants; never with more than how a key stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def respond(self, delivery: Delivery) -> CredentialHealthPage:
        """Of the platform's question, which is no tenant's."""
        assert isinstance(delivery.message, ListCredentialHealth)
        return await self.page(delivery.message)

    async def page(self, query: ListCredentialHealth) -> CredentialHealthPage:
        tenant, _, credential = (query.cursor or "").partition(":")
        async with self._database.platform("list health of keys") as tx:
            rows = await tx.fetch(
                sql.list_standings,
                tenant,
                credential,
                query.tenant_id,
                query.state,
                query.provider,
                query.limit + 1,
            )
        items = tuple(CredentialStanding.model_validate(dict(row)) for row in rows[: query.limit])
        last = items[-1] if len(rows) > query.limit else None
        return CredentialHealthPage(
            items=items, next_cursor=f"{last.tenant_id}:{last.credential_id}" if last else None
        )
